"""Logistic regression over one-hot bands by iteratively reweighted least squares (Newton's method), in plain Python.

Rows with the same bands are one cell with a weight, so tens of thousands of bookings are a few thousand cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows that look alike: the columns that are 1, how many rows, how many of them with the outcome."""

    columns: tuple[int, ...]
    n: int
    events: int


def fit(cells: Sequence[Cell], columns: int, *, ridge: float = 1.0, steps: int = 25) -> Vector:
    """Coefficients: the intercept, then one for each column. ridge: prior precision of every coefficient but the intercept.

    Raises ArithmeticError when it does not settle.
    """
    size = columns + 1
    coefficients = [0.0] * size
    for _ in range(steps):
        gradient = [0.0] + [-ridge * value for value in coefficients[1:]]
        curvature = [[0.0] * size for _ in range(size)]
        for column in range(1, size):
            curvature[column][column] = ridge
        for cell in cells:
            active = (0, *(column + 1 for column in cell.columns))
            chance = 1 / (1 + exp(-sum(coefficients[column] for column in active)))
            missing = cell.events - cell.n * chance
            weight = cell.n * chance * (1 - chance)
            for column in active:
                gradient[column] += missing
                row = curvature[column]
                for other in active:
                    row[other] += weight
        step = _solve(curvature, gradient)
        coefficients = [value + change for value, change in zip(coefficients, step, strict=True)]
        if max(map(abs, step)) < 1e-9:
            return coefficients
    raise ArithmeticError("the fit does not settle")


def brier(judged: Sequence[tuple[float, int]]) -> float:
    """Mean squared distance of the chances from what happened: 0 is perfect."""
    return sum((chance - event) ** 2 for chance, event in judged) / len(judged)


def log_loss(judged: Sequence[tuple[float, int]]) -> float:
    """Mean surprise in nats."""
    return -sum(log(chance if event else 1 - chance) for chance, event in judged) / len(judged)


def auc(judged: Sequence[tuple[float, int]]) -> float:
    """The chance that somebody with the outcome has the higher chance of two; ties count half."""
    events = sum(event for _, event in judged)
    ranks = 0.0
    ordered = sorted(judged)
    at = 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        ranks += (at + end + 1) / 2 * sum(event for _, event in ordered[at:end])
        at = end
    return (ranks - events * (events + 1) / 2) / (events * (len(judged) - events))


def _solve(matrix: list[Vector], right: Vector) -> Vector:
    """Gauss with partial pivoting. Raises ArithmeticError for a singular matrix."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda at: abs(rows[at][column]))
        if abs(rows[pivot][column]) < 1e-12:
            raise ArithmeticError("the columns depend on each other")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            factor = rows[below][column] / rows[column][column]
            if factor:
                for at in range(column, size + 1):
                    rows[below][at] -= factor * rows[column][at]
    solution = [0.0] * size
    for row in range(size - 1, -1, -1):
        known = sum(rows[row][at] * solution[at] for at in range(row + 1, size))
        solution[row] = (rows[row][size] - known) / rows[row][row]
    return solution
