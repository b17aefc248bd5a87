"""Assessments, jobs and keys in the admin: to be looked at, and to be ended."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from advisor.engine.calibration import SECTIONS
from advisor.models import (
    ApiKey,
    Assessment,
    Calibration,
    CalibrationChoice,
    Job,
    LoginLink,
    Membership,
    Organisation,
    Share,
)
from advisor.services import accounts, calibrations, jobs, recalibrating
from catalog.queries import own_measurements

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
    list_display = ("version", "subject", "rows", "own_rows", "note", "created_at")
    list_filter = ("subject", "created_at")
    search_fields = ("version", "note")
    actions = ("use",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Calibration]:
        return super().get_queryset(request).defer("parameters")

    def get_urls(self) -> list[URLPattern]:
        pages = {"recalibrate": self.recalibrate, "shipped": self.shipped}
        own = [
            path(
                f"{name}/",
                self.admin_site.admin_view(require_POST(page)),
                name=f"advisor_calibration_{name}",
            )
            for name, page in pages.items()
        ]
        return own + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        newest = CalibrationChoice.objects.first()
        shown = newest if newest is not None and newest.sections.exists() else None
        more = {"in_use": shown, "own_count": len(own_measurements())}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    @admin.display(description="measurements behind it")
    def rows(self, calibration: Calibration) -> int:
        return len(calibration.measurements)

    @admin.display(description="of them your own")
    def own_rows(self, calibration: Calibration) -> int:
        return len(calibration.own)

    @admin.action(description="Use the chosen fits from now on", permissions=["choose"])
    def use(self, request: HttpRequest, chosen: QuerySet[Calibration]) -> None:
        subjects = [row.subject for row in chosen]
        if len(subjects) != len(set(subjects)):
            self.message_user(request, "Choose one fit a subject at most.", messages.ERROR)
            return
        made = calibrations.choose(list(chosen), by=self._user(request))
        self.message_user(request, f"Runs use calibration {made.version} from now on.")

    def has_choose_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("advisor.change_calibration")

    def recalibrate(self, request: HttpRequest) -> HttpResponse:
        user = self._user(request)
        job = recalibrating.start(SECTIONS, owner=user)
        self.message_user(request, "Recalibrating in the background; its job shows how far it is.")
        return redirect("admin:advisor_job_change", job.pk)

    def shipped(self, request: HttpRequest) -> HttpResponse:
        calibrations.back_to_shipped(by=self._user(request))
        self.message_user(request, "Runs use the shipped calibration from now on.")
        return redirect("admin:advisor_calibration_changelist")

    def _user(self, request: HttpRequest) -> User:
        if not isinstance(request.user, User) or not self.has_choose_permission(request):
            raise PermissionDenied
        return request.user


@admin.register(CalibrationChoice)
class CalibrationChoiceAdmin(ReadOnly):
    list_display = ("version", "chosen_at", "chosen_by", "note")
    list_select_related = ("chosen_by",)


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
