"""Which form each weight takes, or none: least error for all bytes together.

With ``tol`` and ``max_rank`` each weight decides alone. A ``budget`` is shared: it is
spent where a byte removes most of the sum of squared relative errors, until nothing
that is left over buys anything. To be dense, without error, is one of the offers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.compression.aim import Aim
from ttalgebra.layers.compression.frontier import (
    Form,
    Pairs,
    form_at,
    frontier,
    spectra,
    squared_tails,
)


class Choice(NamedTuple):
    """The form to take, None for dense, and why; ``tried`` is the best one."""

    form: Form | None
    reason: str
    tried: Form


class Weight(NamedTuple):
    """A matrix as the choice sees it: its bytes, and forms to choose from."""

    nbytes: int
    itemsize: int  # of the cores
    forms: tuple[Form, ...]

    @classmethod
    def of(
        cls, W: Array, pairs: Iterable[Pairs], aim: Aim, nbytes: int, itemsize: int
    ) -> "Weight":
        """The forms of ``W`` that could answer ``aim``. One lossless TT-SVD a shape."""
        forms = [
            form
            for modes in pairs
            for form in _answers(modes, spectra(W, modes), aim, nbytes // itemsize)
        ]
        return cls(nbytes, itemsize, tuple(forms))

    def bytes_of(self, form: Form) -> int:
        """What its cores take."""
        return self.itemsize * form.parameters


def _answers(
    pairs: Pairs, values: Sequence[np.ndarray], aim: Aim, dense: int
) -> Iterator[Form]:
    """One form for a ``tol`` or a ``max_rank``, all smaller ones for a budget."""
    if aim.max_rank is not None:
        tails = [squared_tails(s) for s in values]
        yield form_at(pairs, tails, [min(len(t), aim.max_rank) for t in tails])
    elif aim.tol is not None:
        tol = aim.tol
        yield next(form for form in frontier(pairs, values) if form.error <= tol)
    else:
        forms = frontier(pairs, values)
        yield next(forms)
        yield from takewhile(lambda form: form.parameters < dense, forms)


def choose(weights: Sequence[Weight], aim: Aim, others: int) -> list[Choice]:
    """A choice for each weight; ``others`` is what the arrays beside them take.

    Raises ShapeError where no ranks fit into the budget.
    """
    if aim.budget is None:
        return [_alone(weight, aim) for weight in weights]
    forms = _shared(weights, aim.budget, others)
    pairs = zip(weights, forms, strict=True)
    return [_in_budget(weight, form) for weight, form in pairs]


def _alone(weight: Weight, aim: Aim) -> Choice:
    best = min(weight.forms, key=lambda form: (form.parameters, form.error))
    size = weight.bytes_of(best)
    if size < weight.nbytes:
        return Choice(best, "smaller", best)
    asked = f"ranks up to {aim.max_rank}" if aim.tol is None else f"{aim}"
    reason = f"TT with {asked} takes {size:,} bytes, dense {weight.nbytes:,}"
    return Choice(None, reason, best)


def _in_budget(weight: Weight, form: Form | None) -> Choice:
    if form is not None:
        return Choice(form, "smaller", form)
    smaller = [f for f in weight.forms if weight.bytes_of(f) < weight.nbytes]
    if not smaller:
        least = min(weight.forms, key=lambda form: form.parameters)
        size = weight.bytes_of(least)
        reason = f"TT of rank 1 takes {size:,} bytes, dense {weight.nbytes:,}"
        return Choice(None, reason, least)
    best = min(smaller, key=lambda form: form.error)
    reason = f"the budget has room for it dense; smaller TT errs by {best.error:.2g}"
    return Choice(None, reason, best)


class _Offers:
    """What one weight may become: sizes rising, each with its squared error."""

    def __init__(self, weight: Weight):
        forms = [f for f in weight.forms if weight.bytes_of(f) < weight.nbytes]
        forms.sort(key=lambda form: (form.parameters, form.error))
        self.forms: list[Form | None] = [*forms, None]
        sizes = [weight.bytes_of(form) for form in forms]
        self.sizes = np.array([*sizes, weight.nbytes], dtype=np.int64)
        self.errors = np.array([*(form.error**2 for form in forms), 0.0])
        self.at = 0

    @property
    def size(self) -> int:
        """The bytes of what it is now."""
        return int(self.sizes[self.at])

    def best(self, room: int) -> tuple[float, int]:
        """The most squared error a byte removes within ``room``, and by what step."""
        prices = self.sizes[self.at + 1 :] - self.size
        count = int(np.searchsorted(prices, room, side="right"))
        gains = self.errors[self.at] - self.errors[self.at + 1 :][:count]
        if not count or gains.max() <= 0.0:
            return 0.0, self.at
        rates = gains / np.maximum(prices[:count], 1)
        step = int(np.argmax(rates))
        return float(rates[step]), self.at + 1 + step


def _shared(weights: Sequence[Weight], budget: int, others: int) -> list[Form | None]:
    offers = [_Offers(weight) for weight in weights]
    room = budget - others - sum(offer.size for offer in offers)
    if room < 0:
        message = f"compress: the budget is {budget:,} bytes, the least is"
        beside = f"{budget - room:,}, {others:,} of them for what stays as it is"
        raise ShapeError(f"{message} {beside}; give more")
    while offers:
        rated = [offer.best(room) for offer in offers]
        k = max(range(len(rated)), key=lambda k: rated[k][0])
        rate, step = rated[k]
        if rate <= 0.0:
            break
        before, offers[k].at = offers[k].size, step
        room -= offers[k].size - before
    return [offer.forms[offer.at] for offer in offers]
