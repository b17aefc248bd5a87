"""A thin, silent door to HiGHS: rows and columns in, values and a proven bound out."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from advisor.engine.cases import Floats, Ints

Watch = Callable[[float, float], bool]
"""Called with the best cost and the bound so far; true asks to stop."""
INF = highspy.kHighsInf
_UNUSED = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When the solver stops: at fixed points of its work, or by the clock where seconds are given.

    Nodes and looks (times that the search asks whether to go on) are counted on one thread, so
    that the same question stops at the same plan on any machine; only seconds are not.
    """

    gap: float = 1e-4  # relative, proven
    nodes: int = 2_000
    looks: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What came out; `values` is None where nothing feasible was found."""

    values: Floats | None
    usd: float
    bound: float
    row_duals: Floats | None = None
    reduced_usd: Floats | None = (
        None  # what one more of each column adds at the relaxation's prices
    )
    stopped: bool = False


@dataclass(slots=True)
class Program:
    """A mixed-integer program under construction: columns first, then rows over them."""

    cost: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    whole: list[Floats] = field(default_factory=list)
    rows: list[Ints] = field(default_factory=list)
    columns: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    row_lower: list[Floats] = field(default_factory=list)
    row_upper: list[Floats] = field(default_factory=list)
    width: int = 0
    height: int = 0
    offset: float = 0.0

    def add(
        self,
        cost: ArrayLike,
        *,
        shape: tuple[int, ...] | None = None,
        upper: ArrayLike = INF,
        lower: ArrayLike = 0.0,
        integer: ArrayLike = False,
    ) -> Ints:
        """New columns of the cost's (or the given) shape; their numbers, in that shape."""
        wanted = np.shape(cost) if shape is None else shape
        count = int(np.prod(wanted, dtype=np.int64))

        def flat(values: ArrayLike) -> Floats:
            return np.broadcast_to(np.asarray(values, dtype=np.float64), wanted).ravel()

        self.cost.append(flat(cost))
        self.lower.append(flat(lower))
        self.upper.append(flat(upper))
        self.whole.append(flat(integer))
        numbers = np.arange(self.width, self.width + count, dtype=np.int64).reshape(wanted)
        self.width += count
        return numbers

    def row_block(self, count: int, *, lower: ArrayLike, upper: ArrayLike) -> Ints:
        """New empty rows; their numbers."""
        self.row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        numbers = np.arange(self.height, self.height + count, dtype=np.int64)
        self.height += count
        return numbers

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Entries of the matrix; the three broadcast together."""
        r, c, v = np.broadcast_arrays(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.asarray(values, dtype=np.float64),
        )
        self.rows.append(r.ravel())
        self.columns.append(c.ravel())
        self.values.append(v.ravel())


def solve(
    program: Program,
    limits: Limits,
    *,
    relaxed: bool = False,
    watch: Watch | None = None,
) -> Solved:
    """Least cost of a program, its values, and a bound that no solution can beat.

    Stops at the gap, at a number of nodes or looks or, where asked, at the clock; the bound is
    the solver's own dual bound, the optimum itself where the program is linear.

    Source: HiGHS, Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised simplex
    method", Mathematical Programming Computation 10 (2018).
    """
    model = _loaded(program, limits, relaxed=relaxed)
    asked_to_stop = _watched(model, watch, limits.looks)
    model.run()
    status = model.getModelStatus()
    info = model.getInfo()
    found = model.getSolution()
    feasible = info.primal_solution_status == highspy.kSolutionStatusFeasible
    values = np.array(found.col_value) if feasible else None
    integer = not relaxed and any(block.any() for block in program.whole)
    usd = float(info.objective_function_value) if feasible else float("inf")
    if integer:
        bound = float(info.mip_dual_bound)
    else:
        bound = usd if status == highspy.HighsModelStatus.kOptimal else -float("inf")
    if status == highspy.HighsModelStatus.kInfeasible:
        bound = float("inf")
    duals = np.array(found.row_dual) if found.dual_valid else None
    return Solved(
        values=values,
        usd=usd,
        bound=min(bound, usd),
        row_duals=duals,
        reduced_usd=np.array(found.col_dual) if found.dual_valid else None,
        stopped=bool(asked_to_stop),
    )


def without_dear(program: Program, relaxed: Solved, *, known_usd: float) -> Program:
    """The program without the whole columns that no solution below a known one can use.

    One of such a column lifts the relaxation's own optimum above what is known already. Where
    nothing cheaper exists nothing may be left: the known solution is best then.

    Source: reduced-cost fixing, L. A. Wolsey, "Integer Programming", 2nd ed., Wiley 2020,
    section 7.6.
    """
    if relaxed.reduced_usd is None or relaxed.values is None or not np.isfinite(known_usd):
        return program
    lower, upper = np.concatenate(program.lower), np.concatenate(program.upper)
    unused = (np.concatenate(program.whole) > 0.0) & (relaxed.values <= lower + _UNUSED)
    dear = unused & (relaxed.reduced_usd > known_usd * (1.0 + _UNUSED) - relaxed.usd)
    return replace(program, upper=[np.where(dear, lower, upper)])


def only_used(program: Program, relaxed: Solved) -> Program:
    """The program without the whole columns that its relaxation leaves at their least.

    What is left is small and solved at once; its best is a solution of the whole program, whose
    relaxation bounds it.

    Source: T. Berthold, "RENS: the optimal rounding", Mathematical Programming Computation 6
    (2014); here what the relaxation uses may take any whole value.
    """
    if relaxed.values is None:
        return program
    lower, upper = np.concatenate(program.lower), np.concatenate(program.upper)
    unused = (np.concatenate(program.whole) > 0.0) & (relaxed.values <= lower + _UNUSED)
    return replace(program, upper=[np.where(unused, lower, upper)])


class _Silent(highspy.Highs):
    """A solver that is silent from its first call: its constructor prints a banner otherwise."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)  # noqa: FBT003
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _loaded(program: Program, limits: Limits, *, relaxed: bool) -> highspy.Highs:
    model = _Silent()  # type: ignore[no-untyped-call]
    model.setOptionValue("threads", 1)
    model.setOptionValue("random_seed", 0)
    model.setOptionValue("mip_rel_gap", limits.gap)
    model.setOptionValue("mip_max_nodes", limits.nodes)
    if limits.seconds is not None:
        model.setOptionValue("time_limit", limits.seconds)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.width, program.height
    lp.offset_ = program.offset
    lp.col_cost_ = np.concatenate(program.cost)
    lp.col_lower_ = np.concatenate(program.lower)
    lp.col_upper_ = np.concatenate(program.upper)
    lp.row_lower_ = np.concatenate(program.row_lower)
    lp.row_upper_ = np.concatenate(program.row_upper)
    matrix = sparse.csr_matrix(
        (
            np.concatenate(program.values),
            (np.concatenate(program.rows), np.concatenate(program.columns)),
        ),
        shape=(program.height, program.width),
    )
    matrix.eliminate_zeros()
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    if not relaxed:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(each)] for each in np.concatenate(program.whole)]
    model.passModel(lp)
    return model


def _watched(model: highspy.Highs, watch: Watch | None, looks: int | None) -> list[bool]:
    """Have the search ask whether to go on; the list that is given fills once `watch` stops it."""
    stopped: list[bool] = []
    seen = itertools.count(1)

    def asked(event: "highspy.HighsCallbackEvent") -> None:
        out, back = event.data_out, event.data_in
        if back is None:
            return
        if watch is not None and watch(float(out.mip_primal_bound), float(out.mip_dual_bound)):
            stopped.append(True)
            back.user_interrupt = True

    def counted(event: "highspy.HighsCallbackEvent") -> None:
        asked(event)
        if looks is not None and next(seen) >= looks and event.data_in is not None:
            event.data_in.user_interrupt = True

    if watch is not None or looks is not None:
        model.cbMipInterrupt.subscribe(counted)
    if watch is not None:
        model.cbSimplexInterrupt.subscribe(asked)
    return stopped
