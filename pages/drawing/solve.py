"""What a formula means: its value, its solutions, a simpler form, points of its graph. A program of its own.

It reads LaTeX from standard input and writes JSON: {"results": [[title, LaTeX], …], "points": [[x, y], …]}, or
{"error": sentence}. SymPy is imported only here, so that the server's memory does not hold it, and a formula that takes
too long or too much memory ends this process only.
"""

import contextlib
import json
import re
import sys
from pathlib import Path
from typing import Any

MEMORY = 1_500_000_000  # bytes that this process may use
SECONDS = 20  # of CPU time; the server stops it earlier, unless that was killed
DIGITS = 8  # of a value
MOST_SOLUTIONS = 6
LONGEST = 300  # characters of LaTeX that are shown
REACH = 10.0  # the graph goes from -REACH to REACH
POINTS = 241  # of the graph
UNKNOWN = re.compile(r"\\(pm|mp|approx|equiv|propto|to|rightarrow|in|forall|exists|cdots|ldots|dots|begin|text)\b")
# A variable: a letter, Latin or Greek, perhaps with an index. \prime, \Delta and dx are no factors.
VARIABLE = re.compile(
    r"(?:[A-Za-z]|(?:var)?(?:epsilon|theta|rho|sigma|phi|pi|kappa)|alpha|beta|gamma|delta|zeta|eta|iota|lambda|mu|nu|xi|tau"
    r"|upsilon|chi|psi|omega|Gamma|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega)(?:_.*)?"
)
NUMBER_OR_LABEL = re.compile(r"\(?\w{1,4}[).:]")  # of an exercise, or an equation: a), (2)
RELATIONS = {"Equality", "StrictLessThan", "LessThan", "StrictGreaterThan", "GreaterThan"}


def main() -> None:
    """Reads a formula, writes what it means."""
    with contextlib.suppress(ImportError, ValueError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with contextlib.suppress(OSError):  # where memory runs out, Linux ends this process and not the server
        Path("/proc/self/oom_score_adj").write_text("1000")
    json.dump(meaning(sys.stdin.read()), sys.stdout)


def meaning(latex: str) -> dict[str, Any]:
    """What a formula means, as plain values. Empty lists: nothing that is worth saying."""
    formulas = side_by_side(latex)
    if len(formulas) > 1 or UNKNOWN.search(latex):
        return {"results": [], "points": []}
    try:
        expression = parsed(formulas[0] if formulas else latex)
    except Exception:  # the parser's errors have no common class
        return {"error": "This formula cannot be calculated with."}
    if not all(VARIABLE.fullmatch(str(symbol)) for symbol in getattr(expression, "free_symbols", ())):
        return {"results": [], "points": []}
    kind = type(expression).__name__
    try:
        if kind in RELATIONS:
            return {"results": _of_relation(expression), "points": _graph_of_relation(expression)}
        if kind in ("BooleanTrue", "BooleanFalse"):
            return {"results": [["This is", r"\text{true}" if expression else r"\text{false}"]], "points": []}
        return {"results": _of_expression(expression), "points": _graph(expression)}
    except Exception:  # neither have SymPy's
        return {"results": [], "points": []}


def side_by_side(latex: str) -> list[str]:
    """The formulas that stand side by side, without an exercise's number, an equation's label, or the next step behind a bar."""
    parts = [part.strip() for part in latex.split(r"\quad")]
    return [
        part
        for part in parts
        if not (NUMBER_OR_LABEL.fullmatch(part) or (part.startswith("|") and "|" not in part[1:]))
    ]


def parsed(latex: str) -> Any:
    """The formula as a SymPy expression; e, i and π are the constants."""
    import sympy
    from sympy.parsing.latex import parse_latex

    plain = re.sub(r"\\mathrm\s*(?:\{(\w)\})?", r"\1", latex).replace(r"\lt", "<").replace(r"\gt", ">")
    expression = parse_latex(plain)
    constants = {sympy.Symbol("e"): sympy.E, sympy.Symbol("pi"): sympy.pi, sympy.Symbol("i"): sympy.I}
    bound = {
        variable for part in expression.atoms(sympy.Sum, sympy.Product, sympy.Integral) for variable in part.variables
    }
    return expression.subs({symbol: value for symbol, value in constants.items() if symbol not in bound})


def _of_relation(relation: Any) -> list[list[str]]:
    import sympy

    symbols = sorted(relation.free_symbols, key=str)
    if not symbols:
        left, right = sympy.simplify(relation.lhs), sympy.simplify(relation.rhs)
        holds = relation.func(left, right)
        found = [["This is", r"\text{true}" if holds == True else r"\text{false}"]] if holds in (True, False) else []  # noqa: E712
        return [*found, *([] if left == right else [["Left side", _latex(left)], ["Right side", _latex(right)]])]
    name = next((symbol for symbol in symbols if str(symbol) in "xyz"), symbols[0])
    if type(relation).__name__ != "Equality":
        if len(symbols) > 1:
            return []
        solution = sympy.reduce_inequalities([relation], [name])
        if isinstance(solution, sympy.And):  # without "and less than infinity"
            solution = sympy.And(*(part for part in solution.args if not part.has(sympy.oo, -sympy.oo)))
        return _named("Solution", [solution])
    if relation.lhs in symbols and relation.lhs not in relation.rhs.free_symbols:
        return _simpler(relation.rhs)  # already solved: y = …
    solutions = sympy.solve(relation, name)[:MOST_SOLUTIONS]
    if not solutions:
        return [["Solution", r"\text{none}"]]
    rows = [
        [
            "Solution" if len(solutions) == 1 else "Solutions",
            ",\\; ".join(f"{name} = {_latex(one)}" for one in solutions),
        ]
    ]
    values = [sympy.N(one, DIGITS) for one in solutions if not one.free_symbols and not one.is_rational]
    return _short(rows + ([["Approximately", ",\\; ".join(map(_latex, values))]] if values else []))


def _of_expression(expression: Any) -> list[list[str]]:
    import sympy

    if expression.free_symbols:
        return _simpler(expression)
    exact = sympy.simplify(expression.doit())
    rows = _named("Value", [exact])
    if not exact.is_integer and exact.is_number and exact.is_finite:
        rows += _named("Approximately", [sympy.N(exact, DIGITS)])
    return rows


def _simpler(expression: Any) -> list[list[str]]:
    import sympy

    done = expression.doit()
    simple, factors = sympy.simplify(done), sympy.factor(done)
    rows = _named("Simplified", [simple]) if simple != expression else []
    if factors not in (simple, expression) and isinstance(factors, sympy.Mul):
        rows += _named("Factored", [factors])
    return rows


def _graph_of_relation(relation: Any) -> list[list[float]]:
    """Points of y = f(x)."""
    import sympy

    return _graph(relation.rhs) if relation.lhs in sympy.symbols("y f") or str(relation.lhs) == "f(x)" else []


def _graph(expression: Any) -> list[list[float]]:
    """Points of an expression in one variable; none if it has others."""
    import sympy

    symbols = expression.free_symbols
    if len(symbols) != 1:
        return []
    function = sympy.lambdify(list(symbols), expression.doit(), "math")
    points = []
    for number in range(POINTS):
        x = -REACH + 2 * REACH * number / (POINTS - 1)
        try:
            y = float(function(x))
        except (ArithmeticError, ValueError, TypeError):
            continue  # no value there, such as 1/0
        if abs(y) < 1e6:
            points.append([round(x, 4), round(y, 6)])
    return points


def _named(title: str, values: list[Any]) -> list[list[str]]:
    return _short([[title, _latex(value)] for value in values])


def _short(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if len(row[1]) <= LONGEST]


def _latex(value: Any) -> str:
    import sympy

    # SymPy does not know that alpha_{1} is a Greek letter.
    greek = [symbol for symbol in getattr(value, "free_symbols", ()) if re.match(r"[A-Za-z]{2,}_", str(symbol))]
    return sympy.latex(value, symbol_names={symbol: f"\\{symbol}" for symbol in greek})


if __name__ == "__main__":
    main()
