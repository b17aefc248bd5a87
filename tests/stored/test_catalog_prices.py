"""Price feeds as they come: what becomes a price, what is refused and why."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.engine.tables import BadTable
from catalog.models import Offer, PricePoint, Region
from catalog.queries import snapshot
from catalog.services.prices import PriceFile, PriceReport, import_prices, provider_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DAY = date(2026, 11, 20)
HEADER = (
    "InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,"
    "Region,AvailabilityZone,Price,SpotPrice\n"
)
AWS_HEADER = (
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,"
    "Price,SpotPrice,Region,AvailabilityZone,Arch\n"
)
GPUHUNT_HEADER = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,"
    "disk_size,gpu_vendor,flags,cpu_arch,provider_data\n"
)


def skypilot(rows: str, provider: str = "gcp", *, day: date = DAY) -> PriceReport:
    header = AWS_HEADER if provider == "aws" else HEADER
    file = PriceFile(name=f"catalogs/v8/{provider}/vms.csv", content=header + rows)
    return import_prices([file], form="skypilot", observed_on=day)


def gpuhunt(rows: str, provider: str = "aws", header: str = GPUHUNT_HEADER) -> PriceReport:
    file = PriceFile(name=f"{provider}.csv", content=header + rows)
    return import_prices([file], form="gpuhunt", observed_on=DAY)


def prices(instance: str, region: str) -> dict[str, Decimal]:
    found = PricePoint.objects.filter(
        offer__instance_type=instance, offer__region=region, observed_first=DAY
    )
    return {p.offer.purchase: p.usd_per_h for p in found.order_by("pk") if p.usd_per_h}


def reasons(report: PriceReport) -> list[tuple[int, str]]:
    return [(refusal.line, refusal.reason) for refusal in report.refused]


def test_a_google_host_and_its_accelerators_are_one_price() -> None:
    # Source: skypilot-catalog v8, gcp: a2-highgpu-1g host 0.73948 + A100 2.933908.
    skypilot(
        "a2-highgpu-1g,12.0,85.0,,,,us-central1,us-central1-a,0.73948,0.36975\n"
        ",,,A100,1.0,A100,us-central1,us-central1-a,2.933908,1.15\n"
    )
    assert prices("a2-highgpu-1g", "gcp/us-central1") == {
        "on_demand": Decimal("0.73948") + Decimal("2.933908"),
        "spot": Decimal("0.36975") + Decimal("1.15"),
    }


def test_a_host_of_another_region_is_never_added() -> None:
    report = skypilot(
        "a2-highgpu-1g,12.0,85.0,,,,us-central1,us-central1-a,0.73948,0.36975\n"
        ",,,A100,1.0,A100,europe-west4,europe-west4-a,2.933908,1.15\n"
    )
    assert reasons(report) == [(3, "no host for 1 x A100 is priced in region europe-west4")]


def test_a_host_alone_is_no_offer() -> None:
    report = skypilot("a3-highgpu-1g,26.0,234.0,,,,us-west1,us-west1-a,1.18251,0.36117\n")
    assert (report.added, report.skipped, report.refused) == (0, 1, [])


def test_an_attached_accelerator_takes_the_cheapest_host_that_suits() -> None:
    skypilot(
        "n1-highmem-4,4.0,26.0,,,,us-east1,us-east1-b,0.2366,0.05\n"
        "n1-standard-4,4.0,15.0,,,,us-east1,us-east1-b,0.19,0.04\n"
        "n1-highmem-8,8.0,52.0,,,,us-east1,us-east1-b,0.4732,0.1\n"
        ",,,T4,1.0,T4,us-east1,us-east1-b,0.35,0.11\n"
    )
    assert prices("n1-highmem-4 + 1 x T4", "gcp/us-east1")["on_demand"] == Decimal("0.5866")


def test_a_slice_is_priced_as_a_whole_and_counted_in_chips() -> None:
    skypilot(",,,tpu-v6e-8,1,tpu-v6e-8,us-west1,us-west1-c,21.6,4.35366\n")
    offer = Offer.objects.get(
        instance_type="tpu-v6e-8", region="gcp/us-west1", purchase="on_demand"
    )
    assert (offer.accelerator_id, offer.accelerator_count) == ("google-tpu-v6e", 8)


def test_slices_up_to_v5p_are_named_by_cores() -> None:
    skypilot(",,,tpu-v5p-16,1,tpu-v5p-16,us-east5,us-east5-a,33.6,16.8\n")
    offer = Offer.objects.filter(instance_type="tpu-v5p-16", region="gcp/us-east5").first()
    assert offer is not None
    assert offer.accelerator_count == 8


def test_slices_of_v5e_are_named_by_chips() -> None:
    # Source: skypilot-catalog v8, gcp.
    skypilot(",,,tpu-v5litepod-8,1,tpu-v5litepod-8,us-east5,us-east5-a,9.6,4.8\n")
    offer = Offer.objects.filter(instance_type="tpu-v5litepod-8", region="gcp/us-east5").first()
    assert offer is not None
    assert (offer.accelerator_id, offer.accelerator_count) == ("google-tpu-v5e", 8)


def test_the_mark_for_no_price_known_is_no_price() -> None:
    report = skypilot(",,,tpu-v6e-16,1,tpu-v6e-16,asia-east1,asia-east1-c,700.0,700.0\n")
    assert [(line, "no price known" in reason) for line, reason in reasons(report)] == [
        (2, True),
        (2, True),
    ]


def test_a_real_price_beside_the_mark_is_kept() -> None:
    row = ",,,tpu-v6e-8,1,tpu-v6e-8,southamerica-west1,southamerica-west1-a,21.6,700.0\n"
    report = skypilot(row)
    assert (report.added, len(report.refused)) == (1, 1)


def test_a_price_below_its_own_spot_price_is_not_believed() -> None:
    # The feed's us-central1 H100 at 4.20 when spot was 5.34.
    report = skypilot(
        "a3-highgpu-1g,26.0,234.0,,,,us-central1,us-central1-a,1.18251,0.36117\n"
        ",,,H100,1.0,H100,us-central1,us-central1-a,4.20,5.34\n"
    )
    assert reasons(report) == [(3, "spot 5.34 is above on-demand 4.20: neither can be trusted")]


def test_zero_is_no_price() -> None:
    report = skypilot("p5.48xlarge,H100,8.0,192,2048,,0,0,us-east-2,use2-az1,x86_64\n", "aws")
    assert [reason.split(":")[0] for _, reason in reasons(report)] == [
        "Price is zero",
        "SpotPrice is zero",
    ]


def test_a_price_far_from_all_others_is_not_believed() -> None:
    # A feed once had B200 at 0.01 instead of 3.45.
    report = skypilot("x1,B200,1.0,30,184,,0.01,,us-east-1,use1-az1,x86_64\n", "aws")
    assert "0.01 USD per nvidia-b200-sxm and hour is outside" in report.refused[0].reason


def test_a_fraction_of_an_accelerator_is_counted_as_such() -> None:
    skypilot("g6f.large,L4,0.125,2,8,,0.2021,0.0925,eu-west-1,euw1-az1,x86_64\n", "aws")
    offer = Offer.objects.get(
        instance_type="g6f.large", region="aws/eu-west-1", purchase="on_demand"
    )
    assert offer.accelerator_count == Decimal("0.125")


def test_zones_of_a_region_become_one_price_with_its_span() -> None:
    skypilot(
        "".join(
            f"p5.48xlarge,H100,8.0,192,2048,,55.04,{spot},sa-east-1,sae1-az{zone},x86_64\n"
            for zone, spot in enumerate((18.0, 18.7, 30.0))
        ),
        "aws",
    )
    spot = PricePoint.objects.get(offer__region="aws/sa-east-1", offer__purchase="spot")
    assert (spot.usd_per_h, spot.low_usd, spot.high_usd) == (Decimal("18.7"), 18, 30)


def test_an_instance_without_hourly_price_is_sold_by_quote() -> None:
    report = skypilot("p5e.48xlarge,H200,8.0,192,2048,,,,sa-east-1,sae1-az1,x86_64\n", "aws")
    offer = Offer.objects.get(instance_type="p5e.48xlarge", region="aws/sa-east-1")
    assert (report.added, offer.purchase, offer.prices.count()) == (1, "quote", 0)


def test_an_unknown_accelerator_is_refused_by_name() -> None:
    report = skypilot("p2.xlarge,K80,1.0,4,61,,0.9,0.27,us-east-1,use1-az1,x86_64\n", "aws")
    assert reasons(report) == [(2, "accelerator “K80” is not in the catalogue")]


def test_columns_of_a_feed_are_found_by_name() -> None:
    content = "Price,Region,AcceleratorCount,AcceleratorName,InstanceType\n55,x-1,8,H100,p5\n"
    file = PriceFile(name="aws/vms.csv", content=content)
    assert import_prices([file], form="skypilot", observed_on=DAY).added == 1


def test_a_region_that_only_a_feed_names_gets_a_row_without_country() -> None:
    skypilot("p5.48xlarge,H100,8.0,192,2048,,55.04,,xx-new-1,,x86_64\n", "aws")
    assert Region.objects.get(slug="aws/xx-new-1").country == ""


def test_the_same_feed_again_changes_nothing() -> None:
    row = "p5.48xlarge,H100,8.0,192,2048,,55.04,18.7,sa-east-1,sae1-az1,x86_64\n"
    skypilot(row, "aws")
    before = PricePoint.objects.count()
    report = skypilot(row, "aws")
    assert (report.unchanged, report.added, PricePoint.objects.count()) == (2, 0, before)


def test_a_changed_price_is_a_new_point_and_the_old_one_stays() -> None:
    row = "p5.48xlarge,H100,8.0,192,2048,,{},,sa-east-1,sae1-az1,x86_64\n"
    skypilot(row.format("55.04"), "aws")
    report = skypilot(row.format("41.52"), "aws")
    points = PricePoint.objects.filter(offer__region="aws/sa-east-1").order_by("pk")
    assert report.changed == 1
    assert [p.usd_per_h for p in points] == [Decimal("55.04"), Decimal("41.52")]


def test_the_changed_price_is_what_the_next_snapshot_shows() -> None:
    row = "p5.48xlarge,H100,8.0,192,2048,,{},,sa-east-1,sae1-az1,x86_64\n"
    skypilot(row.format("55.04"), "aws")
    skypilot(row.format("41.52"), "aws")
    shown = [o.usd_per_h for o in snapshot(DAY).offers if o.region and o.region.code == "sa-east-1"]
    assert shown == [41.52]


def test_a_dry_run_reports_and_changes_nothing() -> None:
    row = "p5.48xlarge,H100,8.0,192,2048,,55.04,,sa-east-1,sae1-az1,x86_64\n"
    file = PriceFile(name="aws/vms.csv", content=AWS_HEADER + row)
    before = (PricePoint.objects.count(), Offer.objects.count(), Region.objects.count())
    report = import_prices([file], form="skypilot", observed_on=DAY, dry_run=True)
    after = (PricePoint.objects.count(), Offer.objects.count(), Region.objects.count())
    assert (report.added, after) == (1, before)


def test_a_feed_that_is_cut_off_changes_nothing() -> None:
    row = "p5.48xlarge,H100,8.0,192,2048,,55.04,,sa-east-1,sae1-az1,x86_64\n"
    before = PricePoint.objects.count()
    with pytest.raises(BadTable, match="cut off"):
        skypilot(row + "p5.48xlarge,H100,8.", "aws")
    assert PricePoint.objects.count() == before


def test_each_row_of_gpuhunt_is_one_purchase_kind() -> None:
    gpuhunt(
        "p5.48xlarge,eu-south-1,70.0,192,2048.0,8,H100,80.0,False,,nvidia,,x86,{}\n"
        "p5.48xlarge,eu-south-1,30.0,192,2048.0,8,H100,80.0,True,,nvidia,,x86,{}\n"
    )
    assert prices("p5.48xlarge", "aws/eu-south-1") == {
        "on_demand": Decimal(70),
        "spot": Decimal(30),
    }


def test_gpuhunt_without_its_header_line_is_understood() -> None:
    row = "p5.48xlarge,eu-south-1,70.0,192,2048.0,8,H100,80.0,False,,nvidia,,x86,{}\n"
    assert gpuhunt(row, header="").added == 1


@pytest.mark.parametrize(
    ("name", "memory", "slug"),
    [
        ("A100", "40.0", "nvidia-a100-sxm-40gb"),
        ("A100", "80.0", "nvidia-a100-sxm-80gb"),
        ("V100", "32.0", "nvidia-v100-sxm2-32gb"),
        ("H100", "94.0", "nvidia-h100-nvl"),
        ("MI300X", "192.0", "amd-mi300x"),
    ],
)
def test_memory_tells_variants_of_one_name_apart(name: str, memory: str, slug: str) -> None:
    gpuhunt(f"x1,eu-south-1,2.5,12,85,1,{name},{memory},False,,nvidia,,x86,{{}}\n")
    assert Offer.objects.get(instance_type="x1", region="aws/eu-south-1").accelerator_id == slug


def test_a_google_zone_in_gpuhunt_is_its_region() -> None:
    gpuhunt("a2-highgpu-1g,us-west3-b,4.0,12,85,1,A100,40,False,,nvidia,,x86,{}\n", "gcp")
    assert prices("a2-highgpu-1g", "gcp/us-west3") == {"on_demand": Decimal(4)}


def test_spot_above_on_demand_in_gpuhunt_refuses_both_rows() -> None:
    report = gpuhunt(
        "p3,us-east-9,2.0,192,2048.0,1,V100,16.0,False,,nvidia,,x86,{}\n"
        "p3,us-east-9,3.0,192,2048.0,1,V100,16.0,True,,nvidia,,x86,{}\n"
    )
    assert [line for line, _ in reasons(report)] == [2, 3]


def test_a_row_without_accelerator_is_skipped() -> None:
    report = gpuhunt("m5.large,us-east-1,0.096,2,8,0,,,False,,,,x86,{}\n")
    assert (report.skipped, report.refused) == (1, [])


def test_a_text_in_a_price_is_refused_with_its_line() -> None:
    report = gpuhunt("p5,us-east-1,cheap,192,2048,8,H100,80,False,,nvidia,,x86,{}\n")
    assert reasons(report) == [(2, "price “cheap” is not a number")]


def test_our_own_columns_may_leave_out_what_may_be_empty() -> None:
    content = (
        "provider,region,instance_type,accelerator,accelerator_count,purchase,usd_per_h,"
        "observed_first,observed_last,confidence,source_title\n"
        "aws,aws/us-east-1,p5.48xlarge,H100,8,reserved_1y,36.2,2026-11-20,2026-11-20,"
        "reported,Quotation 4711\n"
    )
    report = import_prices([PriceFile(name="q.csv", content=content)], form="csv")
    assert report.added == 1
    assert prices("p5.48xlarge", "aws/us-east-1")["reserved_1y"] == Decimal("36.2")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("catalogs/v8/aws/vms.csv", "aws"),
        ("/tmp/feeds/gcp.csv", "gcp"),  # noqa: S108
        ("skypilot_gcp_vms.csv", "gcp"),
        ("vastai.csv", "vast"),
        ("v9/do/vms.csv", "digitalocean"),
    ],
)
def test_a_files_name_tells_its_seller(name: str, slug: str) -> None:
    assert provider_of(name, ["aws", "gcp"]) == slug


def test_a_name_that_tells_no_seller_says_what_helps() -> None:
    with pytest.raises(BadTable, match="--provider"):
        provider_of("prices.csv", ["aws"])
