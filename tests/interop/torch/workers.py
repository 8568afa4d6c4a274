"""What each of two processes does; a module of its own, so that they can import it."""

import torch
from torch import distributed as dist
from torch import nn

from ttalgebra.interop.torch import TTLinear

STEPS = 3


def make_model():
    """Two TT-layers, and a plain one, in double precision."""
    return nn.Sequential(
        TTLinear((4, 3, 2), (2, 2, 6), 3, rng=0, dtype=torch.float64),
        nn.Tanh(),
        TTLinear((2, 2), (6, 4), 2, rng=1, dtype=torch.float64, out_features=3),
    )


def data():
    """Eight samples of 24 features, and 3 targets each."""
    drawn = torch.randn(8, 27, dtype=torch.float64, generator=torch.manual_seed(7))
    return drawn[:, :24], drawn[:, 24:]


def train(model, x, target):
    """A few steps of momentum on the mean square error; the losses."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        loss = (model(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def in_process(rank, ways, folder):
    """Each of ``ways`` with two processes over gloo, which meet in a file."""
    torch.set_num_threads(1)
    meeting = (folder / "meeting").as_uri()
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    half = slice(4 * rank, 4 * rank + 4)
    x, target = data()
    try:
        for way in ways:
            torch.save(WAYS[way](x[half], target[half]), folder / f"{way}{rank}.pt")
        dist.barrier()
    finally:
        dist.destroy_process_group()


def replicated(x, target):
    """DistributedDataParallel: the state after training."""
    model = nn.parallel.DistributedDataParallel(make_model())
    train(model, x, target)
    return model.module.state_dict()


def sharded(x, target):
    """FSDP2: parameters live in shards; the state, gathered."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (2,))
    with torch.device("meta"):
        model = make_model()
    for module in (model[0], model[2], model):
        fully_shard(module, mesh=mesh)
    model.to_empty(device="cpu")
    for module, rng in ((model[0], 0), (model[2], 1)):  # the first process decides
        module.reset_parameters(rng=rng + 10 * dist.get_rank())
    train(model, x, target)
    whole = {name: p.full_tensor() for name, p in model.state_dict().items()}
    local = sum(p.to_local().numel() for p in model.parameters())
    return whole | {"local": torch.tensor(local)}


WAYS = {"replicated": replicated, "sharded": sharded}
