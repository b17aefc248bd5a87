"""Several ways to buy, several workloads, one week of hours: the least-cost fleet and its proof."""
