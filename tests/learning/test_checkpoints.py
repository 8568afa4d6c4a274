"""Checkpoints: a run goes on from any of them, in the same bits, or says why not."""

from dataclasses import replace

import numpy as np
import pytest

from tests.backends import here, host
from tests.learning import survivor
from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.layers import Dense, ReLU, Sequential, Tanh, TTLinear
from ttalgebra.learning import (
    SGD,
    Adam,
    Checkpoint,
    Clipped,
    CrossEntropy,
    EarlyStopping,
    RMSProp,
    ShiftAdaMax,
    SquaredHinge,
    fit,
)
from ttalgebra.learning.runs.description import apart, described
from ttalgebra.storage import read, write

ASKED = {"epochs": 3, "batch_size": 16, "rng": 7}
RULES = [
    SGD(0.1, momentum=0.9),
    Adam(1e-2, decay=1e-3),
    RMSProp(1e-2),
    ShiftAdaMax(2**-6),
    Clipped(Adam(1e-2), 0.1),
]
on_host = pytest.mark.host("files, and refusals that no library has a part in")


class PowerCutError(Exception):
    """Ends a run where no code expects it."""


def bits(arrays):
    return {name: a.tobytes() for name, a in host(dict(arrays)).items()}


def cut_after(steps):
    """A loss that fails in the step after so many."""
    seen = []

    def loss(y, target):
        seen.append(1)
        if len(seen) > steps:
            raise PowerCutError
        return CrossEntropy()(y, target)

    loss.__qualname__ = described(CrossEntropy())  # which it is, for the checkpoint too
    return loss


def run(folder, rule, loss=None, **other):
    x, labels = here(survivor.data())
    checkpoint = Checkpoint(folder, every=2)
    return fit(
        here(survivor.model()), x, labels, optimizer=rule, loss=loss or CrossEntropy(),
        validation=(x, labels), callbacks=[EarlyStopping(2)], checkpoint=checkpoint,
        **ASKED | other,
    )  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_from_any_step_to_the_same_bits(tmp_path, rule):
    whole, history = run(tmp_path / "whole", rule)
    for steps in (1, 2, 5, 7, 11, 20):
        folder = tmp_path / f"{steps}"
        with pytest.raises(PowerCutError):
            run(folder, rule, cut_after(steps))
        resumed, again = run(folder, rule, resume=True)
        assert bits(resumed.arrays) == bits(whole.arrays)
        assert [type(a) for a in resumed.arrays.values()] == [
            type(a) for a in whole.arrays.values()
        ]
        for name in ("loss", "validation_loss", "validation_accuracy"):
            assert again[name] == history[name]
    last = [
        read(Checkpoint(tmp_path / name).files()[-1])[0]
        for name in ("whole", "5", "20")
    ]
    for arrays in last:
        assert {k: v for k, v in bits(arrays).items() if k != "history"} == {
            k: v for k, v in bits(last[0]).items() if k != "history"
        }


def test_a_finished_run_is_read_and_may_be_made_longer(tmp_path):
    whole, _ = run(tmp_path / "whole", SGD(0.1), epochs=5)
    first, _ = run(tmp_path / "run", SGD(0.1), epochs=3)
    again, history = run(tmp_path / "run", SGD(0.1), cut_after(0), resume=True)
    assert bits(again.arrays) == bits(first.arrays)
    assert len(history) == 3
    longer, _ = run(tmp_path / "run", SGD(0.1), epochs=5, resume=True)
    assert bits(longer.arrays) == bits(whole.arrays)
    with pytest.raises(
        ShapeError, match=r"epochs is 4, .* has 5 done; ask for as many"
    ):
        run(tmp_path / "run", SGD(0.1), epochs=4, resume=True)


@on_host
def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    def stop(progress):
        return replace(progress, stopped=progress.epoch == 2)

    asked = {"epochs": 9, "callbacks": [stop]}
    _, history = survivor.run(tmp_path, **asked)
    _, again = survivor.run(tmp_path, **asked, resume=True)
    assert history == again
    assert len(again) == 2


@on_host
def test_ranks_that_changed_on_the_way(tmp_path):
    rule = Adam(1e-2)

    def cut(progress):
        """Rank 1 instead of 2 after the second epoch, and new means for that core."""
        if progress.epoch != 2:
            return None
        first, *others = progress.model.layers
        low = TTLinear(first.weight.round(max_rank=1, tol=None).cores, first.bias)
        changed = Sequential([low, *others])
        return replace(progress, model=changed, state=rule.init(changed.parameters))

    asked = {"optimizer": rule, "callbacks": [cut], "epochs": 5}
    whole, history = survivor.run(tmp_path / "whole", **asked)
    assert whole.layers[0].weight.max_rank == 1
    for epochs in (1, 2, 3):
        folder = tmp_path / str(epochs)
        survivor.run(folder, **asked | {"epochs": epochs})
        resumed, again = survivor.run(folder, **asked, resume=True)
        assert bits(resumed.arrays) == bits(whole.arrays)
        assert again["loss"] == history["loss"]


@on_host
def test_the_newest_are_kept(tmp_path):
    for keep in (1, 3):
        folder = tmp_path / str(keep)
        survivor.run(folder, every=3, keep=keep)
        names = [path.name for path in Checkpoint(folder).files()]
        total = survivor.EPOCHS * 3  # after batches 3 and 6 of 7, and the epoch
        assert names == [f"checkpoint-{total - k:06}.npz" for k in range(keep)][::-1]
        assert not list(folder.glob(".*"))


@on_host
def test_nothing_is_begun_anew_over_checkpoints(tmp_path):
    survivor.run(tmp_path, epochs=1)
    with pytest.raises(
        FileExistsError, match=r"up to checkpoint-000003\.npz; pass res"
    ):
        survivor.run(tmp_path)
    assert len(Checkpoint(tmp_path).files()) == 3


@on_host
def test_missing_is_a_first_run(tmp_path):
    assert len(survivor.run(tmp_path / "new", epochs=1, resume=True)[1]) == 1
    with pytest.raises(FileNotFoundError, match=r"no 'no\.npz' in .*000003\.npz"):
        survivor.run(tmp_path / "new", resume="no.npz")
    with pytest.raises(ShapeError, match="resume needs checkpoint="):
        survivor.run(resume=True)


DAMAGES = [("cut", share) for share in np.linspace(0, 0.999, 10)]
DAMAGES += [("flipped", share) for share in np.linspace(0, 0.999, 10)]


@on_host
def test_twenty_damaged_ones_are_refused_and_the_good_one_named(tmp_path):
    whole, _ = survivor.run(tmp_path)
    good, last = Checkpoint(tmp_path).files()[-2:]
    before = last.read_bytes()
    for kind, share in DAMAGES:
        at = int(share * len(before))
        flipped = before[:at] + bytes([before[at] ^ 8]) + before[at + 1 :]
        last.write_bytes(before[:at] if kind == "cut" else flipped)
        with pytest.raises(FormatError) as refused:
            survivor.run(tmp_path, resume=True)
        assert str(last) in str(refused.value)
        assert f"{good.name} is whole: resume from '{good.name}'" in str(refused.value)
    assert len(Checkpoint(tmp_path).files()) == 3
    resumed, _ = survivor.run(tmp_path, resume=good.name)
    assert bits(resumed.arrays) == bits(whole.arrays)
    resumed, _ = survivor.run(tmp_path, resume=True)  # the newest is whole again
    assert bits(resumed.arrays) == bits(whole.arrays)


@on_host
def test_where_none_is_whole_that_is_said(tmp_path):
    survivor.run(tmp_path, epochs=1)
    for path in Checkpoint(tmp_path).files():
        path.write_bytes(b"")
    with pytest.raises(FormatError, match=r"no other checkpoint in .* is whole"):
        survivor.run(tmp_path, resume=True)


@on_host
def test_a_file_of_ours_that_is_no_run(tmp_path):
    survivor.run(tmp_path, epochs=1)
    newest = Checkpoint(tmp_path).files()[-1]
    arrays, header = read(newest)
    for forged in (
        {"kind": "model"},
        header | {"partial": {"no": 1}},
        header | {"about": 3},
    ):
        write(newest, arrays, forged)
        with pytest.raises(
            FormatError, match=r"000003\.npz: its|000003\.npz: it holds"
        ):
            survivor.run(tmp_path, resume=True)


@on_host
def test_the_run_of_another_is_refused(tmp_path):
    run(tmp_path, Adam(1e-2))
    narrow = Sequential([Dense.random(12, 3, rng=0)])
    x, labels = survivor.data()
    asked = ASKED | {"loss": CrossEntropy(), "checkpoint": Checkpoint(tmp_path)}
    asked |= {"resume": True, "optimizer": Adam(1e-2)}
    cases = {
        "its batch_size is 16, here it is 8": {"batch_size": 8},
        "its seed is": {"rng": 8},
        r"its optimizer is Adam\(.*here it is SGD\(": {"optimizer": SGD(0.1)},
        r"optimizer is .*rate=0.01, .*rate=0.02, ": {"optimizer": Adam(2e-2)},
        r"here it is Clipped\(rule=Adam": {"optimizer": Clipped(Adam(1e-2), 1)},
        r"its loss is CrossEntropy\(mean=True\), here it is SquaredHinge": {
            "loss": SquaredHinge()
        },
    }
    for says, other in cases.items():
        with pytest.raises(ShapeError, match=says):
            fit(survivor.model(), x, labels, **asked | other)
    with pytest.raises(ShapeError, match="its samples is 100, here it is 90"):
        fit(survivor.model(), x[:90], labels[:90], **asked)
    with pytest.raises(ShapeError, match=r"its model is .*, here it is .*\(layers="):
        fit(narrow, x, labels, **asked)
    layers = survivor.model().layers
    other = Sequential([Tanh() if isinstance(n, ReLU) else n for n in layers])
    with pytest.raises(ShapeError, match=r"its model is .*ReLU.*here it is .*Tanh"):
        fit(other, x, labels, **asked)
    wide = survivor.model()
    wide = wide.with_arrays({n: a.astype("f8") for n, a in wide.arrays.items()})
    with pytest.raises(ShapeError, match=r"of float32 .*, this one of float64"):
        fit(wide, x, labels, **asked)


@on_host
def test_differences_of_long_descriptions_are_shown():
    long = "Sequential(layers=[" + "ReLU(), " * 40
    theirs, ours = apart(f"{long}Tanh()])", f"{long}Sigmoid()])")
    assert theirs == "..." + (long + "Tanh()])")[-48:]
    assert ours.endswith("ReLU(), Sigmoid()])")
    assert apart(3, None) == ("3", "None")
    layer = Dense.random(2, 3, rng=0)
    assert described(layer) == described(Dense.random(5, 4, rng=1))
    assert described([np.float32(0.5), {"a": np.ones(2)}]) == "[0.5, {'a': }]"


@on_host
def test_what_a_checkpoint_may_be():
    for wrong in ({"folder": 3}, {"folder": "f", "every": 1.5}):
        with pytest.raises(TypeError, match=r"Checkpoint|must be an int"):
            Checkpoint(**wrong)
    for wrong in ({"every": 0}, {"keep": 0}):
        with pytest.raises(ShapeError, match="at least 1"):
            Checkpoint("folder", **wrong)
    with pytest.raises(TypeError, match="must be a Checkpoint, got str"):
        survivor.run(checkpoint="folder")
    with pytest.raises(TypeError, match="resume must be True, False or a file's name"):
        survivor.run(resume=3)
