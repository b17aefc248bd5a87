"""Sized layouts on offers: whole instances, shared ones, and those that cannot be joined."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from advisor.engine.search.placement import MOST_AT_MARKET_PRICE, Placements, leanest, place
from advisor.engine.search.sizing import Sizing, with_redundancy
from catalog.engine.shipped import shipped_snapshot
from catalog.specs import OfferSpec, Purchase

H100 = next(p for p in shipped_snapshot().accelerators if p.slug == "nvidia-h100-sxm")
L4 = next(p for p in shipped_snapshot().accelerators if p.slug == "nvidia-l4")


def offer(
    slug: str, count: float, instance: str = "machine", kind: str = "public_cloud"
) -> OfferSpec:
    some = next(o for o in shipped_snapshot().offers if o.purchase == Purchase.ON_DEMAND)
    return replace(
        some,
        accelerator_slug=slug,
        accelerator_count=count,
        instance_type=instance,
        provider_kind=kind,
        max_quantity=None,
    )


def sizing(*, tensor: int, pipeline: int = 1, replicas: int = 1, wait_s: float = 1.0) -> Sizing:
    def ints(value: int) -> np.ndarray:
        return np.array([value], dtype=np.int64)

    def floats(value: float) -> np.ndarray:
        return np.array([value])

    yes = np.array([True])
    return Sizing(
        accelerator=ints(0), precision=ints(2), engine=ints(0), tensor=ints(tensor),
        pipeline=ints(pipeline), expert=ints(1), attention_data=ints(1), replicas=ints(replicas),
        chips_per_replica=ints(tensor * pipeline), concurrency=floats(1.0),
        utilisation=floats(0.5), hours_per_month=floats(730.0), capacity_low=floats(1.0),
        capacity_high=floats(1.0), wait_s=floats(wait_s), figures={}, fits=yes, meets_ttft=yes,
        meets_tpot=yes, meets_e2e=yes, needed_bytes=floats(1.0), available_bytes=floats(1.0),
        binding=np.array(["memory"]), measured=np.array([""]), extrapolated=np.array([False]),
    )  # fmt: skip


def placed(size: Sizing, wanted: OfferSpec) -> Placements:
    part = H100 if wanted.accelerator_slug == H100.slug else L4
    return place(size, [wanted], [part])


def test_two_replicas_of_four_share_a_machine_of_eight() -> None:
    found = placed(sizing(tensor=4, replicas=2), offer(H100.slug, 8))

    assert (found.instances[0], found.accelerators[0]) == (1, 8)


def test_a_third_replica_takes_a_second_machine() -> None:
    assert placed(sizing(tensor=4, replicas=3), offer(H100.slug, 8)).instances[0] == 2


def test_a_pipeline_spans_machines_whole() -> None:
    found = placed(sizing(tensor=8, pipeline=2), offer(H100.slug, 8))

    assert found.instances[0] == 2
    assert found.spans_instances[0]


def test_a_tensor_group_does_not_span_machines_without_a_fabric() -> None:
    assert len(placed(sizing(tensor=4), offer(L4.slug, 1))) == 0


def test_a_part_of_an_accelerator_holds_no_replica() -> None:
    assert len(placed(sizing(tensor=1), offer(L4.slug, 0.5))) == 0


def test_the_cheapest_price_of_a_market_holds_for_a_few_machines_only() -> None:
    market = offer(H100.slug, 1, "per-gpu-hour (cheapest offer)", "neocloud")
    enough = MOST_AT_MARKET_PRICE // 8

    assert len(placed(sizing(tensor=8, replicas=enough), market)) == 1
    assert len(placed(sizing(tensor=8, replicas=enough + 1), market)) == 0


def test_quantity_limits_of_an_offer_are_kept() -> None:
    limited = replace(offer(H100.slug, 8), max_quantity=1)

    assert len(placed(sizing(tensor=8, replicas=2), limited)) == 0


def test_of_equal_layouts_the_leanest_is_kept() -> None:
    one, two = sizing(tensor=8, replicas=2), sizing(tensor=8, replicas=1)
    columns: dict[str, Any] = {
        each.name: np.concatenate([getattr(one, each.name), getattr(two, each.name)])
        for each in fields(Sizing)
        if each.name != "figures"
    }
    both = replace(one, **columns)
    found = place(both, [offer(H100.slug, 8)], [H100])

    assert found.instances[leanest(found, both)].tolist() == [1]


@pytest.mark.parametrize(
    ("redundancy", "count"), [("none", 3), ("n_plus_1", 4), ("two_zones", 4), ("two_regions", 6)]
)
def test_redundancy_adds_what_its_name_says(redundancy: str, count: int) -> None:
    assert with_redundancy(np.array([3.0]), redundancy)[0] == count
