"""Assessments, jobs and keys in the admin: to be looked at, and to be ended."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from advisor.models import (
    ApiKey,
    Assessment,
    Calibration,
    Job,
    LoginLink,
    Membership,
    Organisation,
    Share,
)
from advisor.services import accounts, jobs

HEAVY = ("inputs", "result")


class ReadOnly(admin.ModelAdmin):
    """Rows that only the program writes."""

    def has_add_permission(self, _: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _: HttpRequest, __: Model | None = None) -> bool:
        return False


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    list_filter = ("created_at",)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "organisation", "role", "created_at")
    list_select_related = ("user", "organisation")
    list_filter = ("organisation", "role")
    search_fields = ("user__username", "organisation__name")
    autocomplete_fields = ("user", "organisation")


@admin.register(Assessment)
class AssessmentAdmin(ReadOnly):
    list_display = ("name", "preset", "owner", "organisation", "revision", "changed_at")
    list_select_related = ("owner", "organisation")
    list_filter = ("preset", "organisation", "created_at")
    search_fields = ("name", "id", "owner__username")


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = (
        "id",
        "kind",
        "state",
        "stage",
        "percent",
        "attempts",
        "owner",
        "created_at",
        "finished_at",
    )
    list_select_related = ("owner",)
    list_filter = ("state", "kind", "organisation", "created_at")
    search_fields = ("id", "assessment__name", "owner__username")
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer(*HEAVY)

    @admin.display(description="done", ordering="progress")
    def percent(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @admin.action(description="Cancel the chosen jobs")
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        for job in chosen:
            jobs.cancel(job)
        self.message_user(request, "Waiting jobs are cancelled, running ones stop soon.")


@admin.register(Calibration)
class CalibrationAdmin(ReadOnly):
    list_display = ("version", "subject", "note", "organisation", "created_at")
    list_select_related = ("organisation",)
    list_filter = ("subject", "created_at")
    search_fields = ("version", "note")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "prefix", "owner", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = ("organisation", "revoked_at", "expires_at")
    search_fields = ("name", "prefix", "owner__username")
    exclude = ("secret_hash",)
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen keys")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        for key in chosen:
            accounts.revoke_key(key)
        self.message_user(request, "The chosen keys open nothing any more.")


@admin.register(LoginLink)
class LoginLinkAdmin(ReadOnly):
    list_display = ("user", "created_at", "expires_at", "used_at")
    list_select_related = ("user",)
    list_filter = ("used_at",)
    search_fields = ("user__username",)
    exclude = ("secret_hash",)


@admin.register(Share)
class ShareAdmin(ReadOnly):
    list_display = ("id", "job_id", "owner", "expires_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = ("organisation", "revoked_at")
    search_fields = ("id", "owner__username")
    exclude = ("secret_hash",)
    raw_id_fields = ("job",)
