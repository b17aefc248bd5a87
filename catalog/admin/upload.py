"""Upload of price feeds in the admin: looked at first, taken on the second press."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from catalog.engine.refusals import refusals_by_reason
from catalog.engine.tables import BadTable
from catalog.services import FORMATS, PriceReport, import_prices, uploaded_price_file

LARGEST_UPLOAD_BYTES = 20_000_000


class UploadForm(forms.Form):
    """A feed's file and what its name may not tell."""

    form = forms.ChoiceField(choices=[(f, f) for f in FORMATS], label="Format")
    file = forms.FileField(label="File", help_text="CSV, at most 20 MB")
    provider = forms.SlugField(
        required=False, help_text="Seller, where neither file nor name tells it, e.g. aws"
    )
    observed_on = forms.DateField(
        required=False,
        label="Read on",
        help_text="Day the feed was read; empty is today",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_file(self) -> UploadedFile:
        """Refuse what is too large to be read within a request."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_UPLOAD_BYTES:
            message = "The file is larger than 20 MB: load it with manage.py import_prices."
            raise forms.ValidationError(message)
        return file


def _run(form: UploadForm, *, dry_run: bool) -> PriceReport | None:
    """The import of a valid form; None where the file is no such feed, said in the form."""
    values = form.cleaned_data
    try:
        file = uploaded_price_file(values["file"].name, values["file"].read())
        return import_prices(
            [file],
            form=values["form"],
            provider=values["provider"],
            observed_on=values["observed_on"],
            dry_run=dry_run,
        )
    except BadTable as problem:
        form.add_error("file", f"{problem}. Nothing was imported.")
        return None


def upload_prices(page: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Preview a feed, or take it: the same service, once without and once with effect."""
    if not page.has_add_permission(request):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        take = "take" in request.POST
        report = _run(form, dry_run=not take)
        if take and report is not None:
            text = (
                f"{report.added} prices added, {report.changed} changed, "
                f"{report.unchanged} unchanged, {len(report.refused)} rows refused."
            )
            messages.success(request, text)
            return redirect("admin:catalog_pricepoint_changelist")
    context = {
        **page.admin_site.each_context(request),
        "title": "Upload price feed",
        "opts": page.model._meta,
        "form": form,
        "report": report,
        "refusals": refusals_by_reason(report.refused) if report else [],
    }
    return TemplateResponse(request, "admin/catalog/pricepoint/upload.html", context)
