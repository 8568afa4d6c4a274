"""One class an operation; only names that every version has."""

import numpy as np

import ttalgebra as tt

ROWS, COLUMNS = (4,) * 6, (2, 7, 8, 8, 7, 4)  # Novikov et al. (2015), Table 2


class Layer:
    """25088 -> 4096 in single precision, ranks 4."""

    params = ((1, 100),)
    param_names = ("batch",)

    def setup(self, batch: int) -> None:
        rng = np.random.default_rng(0)
        self.A = tt.random_matrix(ROWS, COLUMNS, 4, rng=rng, dtype="f4")
        self.X = rng.standard_normal((batch, 25088), dtype=np.float32)

    def time_forward(self, batch: int) -> None:
        self.A.apply(self.X)

    def time_gradients(self, batch: int) -> None:
        y, pullback = self.A.vjp(self.X)
        pullback(y)

    def peakmem_gradients(self, batch: int) -> None:
        self.time_gradients(batch)


class Decomposition:
    """8^7 doubles whose ranks are 10."""

    def setup(self) -> None:
        self.tensor = tt.random_tensor((8,) * 7, 10, rng=0).to_dense()

    def time_tt_svd(self) -> None:
        tt.TTTensor.from_dense(self.tensor, tol=1e-8)

    def peakmem_tt_svd(self) -> None:
        self.time_tt_svd()


class Rounding:
    """Trains of many and of few numbers."""

    params = (((50, 20, 50), (1000, 4, 8)),)
    param_names = ("order, mode, rank",)

    def setup(self, sizes: tuple[int, int, int]) -> None:
        order, mode, rank = sizes
        x = tt.random_tensor((mode,) * order, rank, rng=0)
        self.double = x + x

    def time_round(self, sizes: tuple[int, int, int]) -> None:
        self.double.round(tol=1e-8)

    def time_norm(self, sizes: tuple[int, int, int]) -> None:
        self.double.norm()

    def time_dot(self, sizes: tuple[int, int, int]) -> None:
        tt.dot(self.double, self.double)


class Import:
    """What ``import ttalgebra`` costs, NumPy included."""

    def timeraw_import(self) -> str:
        return "import ttalgebra"
