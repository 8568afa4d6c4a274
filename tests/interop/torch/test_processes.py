"""Training over two processes is training in one."""

import multiprocessing
import time

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("torch.distributed.fsdp", reason="this PyTorch has no FSDP")
workers = pytest.importorskip("tests.interop.torch.workers")

SECONDS = 240  # two interpreters import PyTorch, on however busy a machine
pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="this PyTorch has no gloo",
)


HAS_FSDP2 = hasattr(torch.distributed.fsdp, "fully_shard")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What both processes saved, by way: both ended well, in time."""
    folder, ways = tmp_path_factory.mktemp("trained"), ["replicated"]
    ways += ["sharded"] if HAS_FSDP2 else []
    spawn = multiprocessing.get_context("spawn")
    both = [
        spawn.Process(target=workers.in_process, args=(rank, ways, folder), daemon=True)
        for rank in range(2)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        for process in both:
            process.start()
    end = time.monotonic() + SECONDS
    for process in both:
        process.join(max(0.0, end - time.monotonic()))
    codes = [process.exitcode for process in both]
    for process in both:
        process.kill()
    assert codes == [0, 0]
    return {
        way: [torch.load(folder / f"{way}{rank}.pt") for rank in range(2)]
        for way in ways
    }


def assert_like_one_process(first, second):
    """Half of the batch each: the parameters of one process, to 1e-12."""
    alone, start = workers.make_model(), workers.make_model().state_dict()
    workers.train(alone, *workers.data())
    assert "0.cores.2" in start
    for name, wanted in alone.state_dict().items():
        assert torch.equal(first[name], second[name])
        assert torch.allclose(first[name], wanted, rtol=1e-12, atol=1e-13)
        assert not torch.equal(wanted, start[name])


def test_replicated(trained):
    """DistributedDataParallel."""
    assert_like_one_process(*trained["replicated"])


@pytest.mark.skipif(not HAS_FSDP2, reason="fully_shard came with PyTorch 2.6")
def test_sharded(trained):
    """FSDP2, built without values and drawn in shards: nobody holds all of it."""
    first, second = trained["sharded"]
    assert_like_one_process(first, second)
    total = sum(p.numel() for p in workers.make_model().parameters())
    held = [int(state["local"]) for state in (first, second)]
    assert sum(held) == total
    assert 0 < min(held) < total
