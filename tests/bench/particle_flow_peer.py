"""The autoregressive particle flow of the dimer in PyTorch: the peer that particle_flow_bench.ts times ours against.

Written as one would for speed on a processor: float32, one thread, every operation on whole batches, no gradients through
energies, in-place arithmetic on the large arrays, ancestral samples of mixtures instead of inverse distribution functions,
and pair energies by their formula, without a cutoff. Networks and densities of several particles can share operations
("group"): the bench lets it choose group and batch.

    python3 particle_flow_peer.py MODELS.npz META.json

Then a line on standard input asks, and one on standard output answers:
    tune HEAD WORK [BATCH]      the fastest batch and group for WORK: train, sample, or map (z to x, mixtures only)
    time HEAD WORK BATCH GROUP  processor nanoseconds per sample, over about 0.3 s
    check HEAD FILE             writes samples with ln p, and the loss and gradient of the frames in the models' file
"""
import json
import math
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_flush_denormal(True)

REACH = 6.0  # what networks see of standardised coordinates: 6 tanh(x / 6)
LARGEST_LOG_SCALE = 6.0
HIGHEST_ENERGY = 200.0
KNOTS = 129


class Mixture:
    """Twelve Gaussians with shears: features are logits, means, log-scales and shears, [..., 6, J]."""

    def __init__(self, model, particles):
        self.components = model.meta["components"]

    def log_prob(self, features, r, seen=None):
        logit, mx, my, a, b, s = features.unflatten(-1, (6, self.components)).unbind(-2)
        a, b = a.clamp_max(LARGEST_LOG_SCALE), b.clamp_max(LARGEST_LOG_SCALE)
        dx, dy = r[..., 0:1] - mx, r[..., 1:2] - my
        u, w = dx * a.exp(), torch.addcmul(dx * s, dy, b.exp())
        joint = logit + a + b - 0.5 * (u * u + w * w)
        return joint.logsumexp(-1) - logit.logsumexp(-1) - math.log(2 * math.pi)

    def sample(self, features, seen=None):
        chosen = torch.multinomial(features[:, : self.components].softmax(-1), 1)
        rows = features.unflatten(-1, (6, self.components))
        _, mx, my, a, b, s = rows.gather(2, chosen[:, None].expand(-1, 6, -1)).squeeze(2).unbind(1)
        e = torch.randn(2, len(features))
        dx = e[0] * (-a.clamp_max(LARGEST_LOG_SCALE)).exp()
        dy = (e[1] - s * dx) * (-b.clamp_max(LARGEST_LOG_SCALE)).exp()
        r = torch.stack((mx + dx, my + dy), 1)
        return r, self.log_prob(features, r)


    def map(self, features, z):
        """The Knothe-Rosenblatt map, which a bijection needs: distribution functions inverted by safeguarded Newton."""
        logit, mx, my, a, b, s = features.unflatten(-1, (6, self.components)).unbind(-2)
        a, b = a.clamp_max(LARGEST_LOG_SCALE).exp(), b.clamp_max(LARGEST_LOG_SCALE).exp()
        x = self.invert(logit.softmax(-1), a, mx, z[:, 0])
        dx = x[:, None] - mx
        y = self.invert((logit + a.log() - 0.5 * (a * dx).square()).softmax(-1), b, my - s * dx / b, z[:, 1])
        r = torch.stack((x, y), 1)
        return r, self.log_prob(features, r)

    @staticmethod
    def invert(weights, scale, centre, z):
        own = centre + z[:, None] / scale
        low, high, x = own.amin(1), own.amax(1), (weights * own).sum(1)
        target, heights = torch.special.ndtr(z), weights * scale / math.sqrt(2 * math.pi)
        for _ in range(40):
            u = scale * (x[:, None] - centre)
            missing = target - (weights * torch.special.ndtr(u)).sum(1)
            slope = (heights * u.square_().mul_(-0.5).exp_()).sum(1)
            low, high = torch.where(missing > 0, x, low), torch.where(missing > 0, high, x)
            after = x + missing / slope
            after = torch.where((after > low) & (after < high), after, 0.5 * (low + high))
            change = (after - x).abs().max()
            x = after
            if change < 1e-4:
                break
        return x


def chebyshev(u, count):
    values = [torch.ones_like(u), u]
    while len(values) < count:
        values.append(2 * u * values[-1] - values[-2])
    return torch.stack(values[:count], -1)


class LogLinear:
    """A density that is log-linear between nodes [..., N], with exponential tails; A [..., N] is its logarithm there."""

    def __init__(self, nodes, A, rate):
        self.nodes, self.A, self.rate = nodes, A, rate
        a, b = A[..., :-1], A[..., 1:]
        d = (b - a).abs().clamp_min(1e-6)
        cells = torch.maximum(a, b) + (-torch.expm1(-d) / d).log() + (nodes[..., 1:] - nodes[..., :-1]).log()
        tails = -rate.log()
        self.masses = torch.cat((A[..., :1] + tails, cells, A[..., -1:] + tails), -1)
        self.total = self.masses.logsumexp(-1)

    def log_prob(self, x):
        nodes = self.nodes.expand_as(self.A)
        k = torch.searchsorted(nodes[..., 1:-1].contiguous(), x[..., None], right=True)
        low, high = nodes.gather(-1, k), nodes.gather(-1, k + 1)
        a, b = self.A.gather(-1, k), self.A.gather(-1, k + 1)
        inside = torch.minimum(torch.maximum(x[..., None], nodes[..., :1]), nodes[..., -1:])
        beyond = (x[..., None] - inside).abs() * self.rate
        return (torch.lerp(a, b, (inside - low) / (high - low)) - beyond)[..., 0] - self.total

    def sample(self):
        """Inverts the distribution function at uniform numbers; A is [n, N]."""
        n = len(self.A)
        shares = (self.masses - self.total[:, None]).exp().cumsum(-1)
        u = torch.rand(n, 1) * shares[:, -1:]
        piece = torch.searchsorted(shares, u).clamp_max_(shares.shape[1] - 1)
        before = F.pad(shares, (1, 0)).gather(1, piece)
        t = ((u - before) / (shares.gather(1, piece) - before)).clamp_(1e-7, 1)
        k = (piece - 1).clamp_(0, self.A.shape[1] - 2)
        nodes = self.nodes.expand_as(self.A)
        low, high = nodes.gather(1, k), nodes.gather(1, k + 1)
        a, b = self.A.gather(1, k), self.A.gather(1, k + 1)
        d = torch.where((b - a).abs() < 1e-5, 1e-5, b - a)
        # (e^(d s) − 1) / (e^d − 1) = t without overflow: for d > 0 from the other end.
        s = torch.where(
            d > 0,
            1 + torch.log1p((1 - t) * torch.expm1(-d.abs())) / d,
            torch.log1p(t * torch.expm1(-d.abs())) / d,
        )
        left, right = piece == 0, piece == shares.shape[1] - 1
        x = torch.lerp(low, high, s.clamp_(0, 1))
        x = torch.where(left, self.nodes[..., :1] + t.log() / self.rate, x)
        x = torch.where(right, self.nodes[..., -1:] - t.log() / self.rate, x)[:, 0]
        inside = torch.lerp(a, b, s)[:, 0]
        ends = torch.where(left, self.A[:, :1], self.A[:, -1:])[:, 0] + t.log()[:, 0]
        log = torch.where((left | right)[:, 0], ends, inside)
        return x, log - self.total


class Tilted:
    """exp(φ − U / T) on a grid that follows the data: 17 × 17 nodes in training, 33 × 17 for samples."""

    def __init__(self, model, particles):
        self.meta, self.particles = model.meta, particles
        self.beta = model.meta["beta"]
        self.knots = torch.stack([model.constant(f"particles.{k}.knots") for k in particles])
        self.neighbours = [model.meta["neighbours"][k] for k in particles]
        self.grids = {name: self.grid(**sizes) for name, sizes in model.meta["grids"].items()}
        self.rates = [model.meta["tailRate"] / (k[:, -1] - k[:, 0])[:, None, None] for k in self.knots.unbind(1)[:2]]

    def grid(self, fine, coarse):
        """Nodes, polynomials and one-body energies; of the coarse nodes also the logarithms of trapezoid weights."""
        axes = []
        for axis in range(2):
            parts = {}
            for name, count in (("fine", fine), ("coarse", coarse)):
                every = slice(None, None, (KNOTS - 1) // (count - 1))
                x, energy = self.knots[:, axis, every], self.knots[:, 2 + axis, every]
                wide = F.pad(x[:, None], (1, 1), "replicate")[:, 0]
                parts[name] = {
                    "x": x.contiguous(),
                    "basis": chebyshev(torch.linspace(-1, 1, count), self.meta["basis"]),
                    "log": ((wide[:, 2:] - wide[:, :-2]) / 2).log() - self.beta * energy,
                    "energy": -self.beta * energy,
                }
            axes.append(parts)
        return axes

    @torch.no_grad()
    def pairs(self, g, seen, x, y):
        """−U / T of particle g of the group with its neighbours at places x [n or 1, X] and y [n or 1, Y]: [n, X, Y]."""
        neighbours = self.neighbours[g]
        if not neighbours:
            return torch.zeros(len(seen), x.shape[1], y.shape[1])
        at = seen.unflatten(1, (-1, 2))[:, neighbours]
        dx = (x[:, None] - at[..., :1]).square_()[..., None]
        dy = (y[:, None] - at[..., 1:]).square_()[:, :, None]
        if self.particles[g] == 1:
            return self.bond(dx + dy)[:, 0]
        squared = (dx + dy).clamp_min_(self.meta["closest"])
        sixth = squared.reciprocal_().pow_(3).square_()
        return sixth.sum(1).mul_(-self.beta * self.meta["c12"])

    def bond(self, squared):
        q = squared.sqrt_() - self.meta["d0"]
        c1, c2, c4 = self.meta["bond"]
        q2 = q * q
        return (c1 * q + c2 * q2 + c4 * q2 * q2).clamp_max_(HIGHEST_ENERGY).mul_(-self.beta)

    def first(self, features, seen, name):
        (fine, coarse) = self.grids[name][0]["fine"], self.grids[name][1]["coarse"]
        c = features.unflatten(-1, (self.meta["basis"],) * 2)
        phi = fine["basis"] @ c @ coarse["basis"].T
        fixed = fine["energy"][:, None, :, None] + coarse["log"][:, None, None, :]
        tilt = torch.stack([self.pairs(g, rows, fine["x"][g : g + 1], coarse["x"][g : g + 1]) for g, rows in enumerate(seen)])
        A = (phi + tilt.add_(fixed)).logsumexp(-1)
        return c, LogLinear(fine["x"][:, None], A, self.rates[0])

    def second(self, c, seen, x, name):
        """The density of y given x [g, n]."""
        fine = self.grids[name][1]["fine"]
        knots = self.knots[:, 0]
        inside = torch.minimum(torch.maximum(x, knots[:, :1]), knots[:, -1:]).contiguous()
        k = torch.searchsorted(knots[:, 1:-1].contiguous(), inside, right=True)
        low, high = knots.gather(1, k), knots.gather(1, k + 1)
        u = (k + (inside - low) / (high - low)) * (2 / (KNOTS - 1)) - 1
        phi = (chebyshev(u, self.meta["basis"])[..., None, :] @ c).squeeze(-2) @ fine["basis"].T
        tilt = torch.stack([
            self.pairs(g, rows, inside[g, :, None], fine["x"][g : g + 1])[:, 0] for g, rows in enumerate(seen)
        ])
        return LogLinear(fine["x"][:, None], phi + tilt.add_(fine["energy"][:, None]), self.rates[1])

    def log_prob(self, features, r, seen, name="training"):
        c, along_x = self.first(features, seen, name)
        along_y = self.second(c, seen, r[..., 0], name)
        return along_x.log_prob(r[..., 0].contiguous()) + along_y.log_prob(r[..., 1].contiguous())

    def sample(self, features, seen):
        c, along_x = self.first(features[None], [seen], "sampling")
        x, log_x = LogLinear(along_x.nodes[0], along_x.A[0], along_x.rate[0]).sample()
        along_y = self.second(c, [seen], x[None], "sampling")
        y, log_y = LogLinear(along_y.nodes[0], along_y.A[0], along_y.rate[0]).sample()
        return torch.stack((x, y), 1), log_x + log_y


class Group:
    """Networks of several particles with their parameters side by side; inputs beyond those placed before have weight 0."""

    def __init__(self, model, particles):
        self.particles = particles
        self.inputs = 2 * particles[-1]
        self.density = (Tilted if model.head == "tilted" else Mixture)(model, particles)
        hidden, features = model.meta["hidden"], model.meta["features"]
        sizes = [self.inputs, *hidden, features]
        self.weights = [torch.zeros(len(particles), i, o) for i, o in zip(sizes, sizes[1:])]
        self.biases = [torch.zeros(len(particles), 1, o) for o in sizes[1:]]
        self.masks = torch.zeros_like(self.weights[0])
        for g, k in enumerate(particles):
            self.masks[g, : 2 * k] = 1
            if k == 0:
                self.biases[-1][g, 0] = model.constant("particles.0.row")
                continue
            for layer in range(len(sizes) - 1):
                weight = model.constant(f"particles.{k}.{layer}.weight").T
                self.weights[layer][g, : len(weight)] = weight
                self.biases[layer][g, 0] = model.constant(f"particles.{k}.{layer}.bias")
        for parameter in self.parameters():
            parameter.requires_grad_()

    def parameters(self):
        return [*self.weights, *self.biases]

    def features(self, seen):
        """[g, n, features] of what the networks see, [n, inputs]."""
        if self.inputs == 0:
            return self.biases[-1].expand(-1, len(seen), -1)
        h = seen[None].expand(len(self.particles), -1, -1)
        # Unseen inputs keep the weight 0 with which they begin: their gradient is masked after backward().
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            h = torch.baddbmm(bias, h, weight)
            if k + 1 < len(self.weights):
                h = F.silu(h)
        return h

    def mask(self):
        if len(self.particles) > 1 and self.weights[0].grad is not None:
            self.weights[0].grad.mul_(self.masks)


class ParticleFlow:
    def __init__(self, head, arrays, meta, group):
        self.head, self.meta, self.arrays = head, meta, arrays
        self.particles = meta["particles"]
        self.mean, self.inverse = self.constant("particles.frame.mean"), self.constant("particles.frame.inverse")
        self.log_volume = float(arrays["particles.frame.logVolume"].astype(np.float64).sum())
        self.groups = [
            Group(self, list(range(k, min(k + group, self.particles)))) for k in range(0, self.particles, group)
        ]

    def constant(self, name):
        return torch.from_numpy(self.arrays[name].astype(np.float32))

    def log_prob(self, x):
        standardised = (x - self.mean) * self.inverse
        bounded = (standardised / REACH).tanh_().mul_(REACH)
        own = (x if self.head == "tilted" else standardised).unflatten(1, (-1, 2))
        total = 0
        for group in self.groups:
            first, last = group.particles[0], group.particles[-1]
            features = group.features(bounded[:, : group.inputs])
            r = own[:, first : last + 1].transpose(0, 1)
            seen = [x[:, : 2 * k] for k in group.particles]
            total = total + group.density.log_prob(features, r, seen).sum(0)
        return total + (0 if self.head == "tilted" else self.log_volume)

    @torch.no_grad()
    def sample(self, n, z=None):
        """x and ln p(x): one particle after the other, all samples at a time; of given z, or anew."""
        x, bounded, total = torch.empty(n, self.mean.numel()), torch.empty(n, self.mean.numel()), torch.zeros(n)
        for group in self.groups:
            k = group.particles[0]
            here = slice(2 * k, 2 * k + 2)
            features = group.features(bounded[:, : 2 * k])[0]
            if z is None:
                r, log = group.density.sample(features, x[:, : 2 * k])
            else:
                r, log = group.density.map(features, z[:, here])
            total += log
            if self.head == "tilted":
                x[:, here], standardised = r, (r - self.mean[here]) * self.inverse[here]
            else:
                x[:, here], standardised = r / self.inverse[here] + self.mean[here], r
            bounded[:, here] = (standardised / REACH).tanh_().mul_(REACH)
        return x, total + (0 if self.head == "tilted" else self.log_volume)

    def parameters(self):
        return [parameter for group in self.groups for parameter in group.parameters()]


class Trainer:
    """Adam on the mean of −ln p, with the norm of the gradient clipped."""

    def __init__(self, flow, frames, batch):
        # 1e-6: a step that costs what a step costs and hardly changes the model that is timed.
        self.flow, self.optimiser = flow, torch.optim.Adam(flow.parameters(), lr=1e-6, foreach=True)
        self.batches = frames[: len(frames) // batch * batch].split(batch)
        self.steps = 0

    def gradient(self, x):
        self.optimiser.zero_grad(set_to_none=True)
        loss = -self.flow.log_prob(x).mean()
        loss.backward()
        for group in self.flow.groups:
            group.mask()
        return loss

    def step(self):
        self.gradient(self.batches[self.steps % len(self.batches)])
        torch.nn.utils.clip_grad_norm_([p for p in self.flow.parameters() if p.grad is not None], 20)
        self.optimiser.step()
        self.steps += 1


class Bench:
    def __init__(self, path, meta):
        with open(meta) as file:
            self.meta = json.load(file)
        arrays = np.load(path)
        self.frames = torch.from_numpy(arrays["frames"].astype(np.float32))
        self.models = {
            head: {name[len(head) + 1 :]: arrays[name] for name in arrays.files if name.startswith(head + ".")}
            for head in ("mixture", "tilted")
        }
        self.made = {}

    def flow(self, head, group):
        return ParticleFlow(head, self.models[head], self.meta[head], group)

    def work(self, head, work, batch, group):
        """What is timed: one batch of it."""
        key = head, work, batch, group
        if key not in self.made:
            flow = self.flow(head, group)
            runs = {
                "train": lambda: Trainer(flow, self.frames, batch).step,
                "sample": lambda: lambda: flow.sample(batch),
                "map": lambda: lambda: flow.sample(batch, torch.randn(batch, flow.mean.numel())),
            }
            run = runs[work]()
            run(), run()
            self.made[key] = run
        return self.made[key]

    def time(self, head, work, batch, group, seconds=0.3):
        run = self.work(head, work, batch, group)
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds or count < 2:
            run()
            count += 1
        return 1e9 * (time.process_time() - start) / count / batch

    def tune(self, head, work, batch=None):
        batches = (128, 256, 512, 1024) if work == "train" else (256, 512, 1024, 2048, 4096)
        batches = batches if batch is None else (int(batch),)
        groups = (1, 6, self.meta[head]["particles"]) if work == "train" else (1,)
        times = {(b, g): self.time(head, work, b, g, 0.4) for b in batches for g in groups}
        self.made.clear()
        return min(times, key=times.get)

    def check(self, head, path):
        torch.manual_seed(1)
        x, log_prob = self.flow(head, 1).sample(512)
        result = {"x": x.double().numpy(), "logProb": log_prob.double().numpy()}
        if head == "mixture":
            z = torch.randn(512, x.shape[1])
            result["z"] = z.double().numpy()
            result["mapped"] = self.flow(head, 1).sample(512, z)[0].double().numpy()
        for group in (1, self.meta[head]["particles"]):
            flow = self.flow(head, group)
            loss = Trainer(flow, self.frames, 128).gradient(self.frames[:128])
            norm = sum(p.grad.double().square().sum() for p in flow.parameters() if p.grad is not None).sqrt()
            result[f"training{group}"] = np.array([loss.item(), norm.item()])
        np.savez(path, **result)


def main():
    bench = Bench(*sys.argv[1:3])
    print(torch.__version__, flush=True)
    for line in sys.stdin:
        task, head, *rest = line.split()
        if task == "tune":
            print(*bench.tune(head, *rest), flush=True)
        elif task == "time":
            print(bench.time(head, rest[0], int(rest[1]), int(rest[2])), flush=True)
        else:
            bench.check(head, rest[0])
            print("done", flush=True)


if __name__ == "__main__":
    main()
