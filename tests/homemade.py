"""An array library that nobody has heard of: it follows the standard, and no more.

It wraps array-api-strict, so whatever the standard lacks is missing here too, and an
array of it is known by ``__array_namespace__`` alone.
"""

import functools

import array_api_strict as strict

UNARY = "__abs__ __neg__ __pos__ __invert__ __bool__ __int__ __float__ __complex__"
BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lt le gt ge eq ne"
REFLECTED = "radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul"


class HomemadeArray:
    """A strict array in a coat."""

    def __init__(self, inner):
        self.inner = inner

    def __array_namespace__(self, api_version=None):
        return namespace

    def __getitem__(self, key):
        return wrapped(self.inner[unwrapped(key)])

    def __dlpack__(self, **options):
        return self.inner.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.inner.__dlpack_device__()

    @property
    def device(self):
        return self.inner.device

    def to_device(self, device, *, stream=None):  # noqa: ARG002, the standard has it
        return wrapped(self.inner.to_device(device))

    def __getattr__(self, name):
        if name in ("shape", "dtype", "ndim", "size", "T", "mT"):
            return wrapped(getattr(self.inner, name))
        raise AttributeError(f"the standard knows no array attribute {name!r}")


def _operator(name):
    def apply(self, *others):
        return wrapped(getattr(self.inner, name)(*map(unwrapped, others)))

    return apply


for name in [*UNARY.split(), *(f"__{x}__" for x in f"{BINARY} {REFLECTED}".split())]:
    setattr(HomemadeArray, name, _operator(name))


def wrapped(x):
    if isinstance(x, strict._array_object.Array):
        return HomemadeArray(x)
    if isinstance(x, tuple) and any(isinstance(y, type(strict.empty(0))) for y in x):
        return tuple(wrapped(y) for y in x)
    return x


def unwrapped(x):
    if isinstance(x, (list, tuple)):
        return type(x)(unwrapped(y) for y in x)
    return x.inner if isinstance(x, HomemadeArray) else x


class Namespace:
    """What ``strict`` has, on arrays of ours."""

    def __init__(self, inner, name):
        self.inner, self.__name__ = inner, name

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if name == "linalg":
            self.linalg = Namespace(found, "homemade.linalg")  # one, to be patched
            return self.linalg
        if isinstance(found, type) or not callable(found):
            return found

        @functools.wraps(found)
        def function(*args, **options):
            options = {key: unwrapped(value) for key, value in options.items()}
            return wrapped(found(*unwrapped(args), **options))

        return function


namespace = Namespace(strict, "homemade")
