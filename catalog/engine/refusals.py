"""Refused rows said in short: one text for each reason, with all its lines."""

from collections.abc import Iterable, Sequence

from catalog.engine.tables import Refusal


def line_ranges(lines: Iterable[int]) -> str:
    """Line numbers in short: 3-5, 9."""
    ranges: list[list[int]] = []
    for line in sorted(set(lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)


def refusals_by_reason(refused: Sequence[Refusal]) -> list[str]:
    """One text for each file and reason, with all its line numbers."""
    groups: dict[tuple[str, str], list[int]] = {}
    for refusal in refused:
        groups.setdefault((refusal.file, refusal.reason), []).append(refusal.line)
    return [
        f"{file}, line{'s' if len(set(lines)) > 1 else ''} {line_ranges(lines)}: {reason}"
        for (file, reason), lines in groups.items()
    ]
