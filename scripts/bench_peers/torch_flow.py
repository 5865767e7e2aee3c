"""PyTorch as a peer: a training step or a batch of samples of the workload's RealNVP; see serve.ts for the dialogue.

Written as somebody would who cares about speed: channels stay apart from the first coupling to the last, pairs of
particles are counted once with the batch in the rows' direction, Adam works on all tensors at once (foreach), samples are
drawn in inference mode and with tanh in place.
"""
import json
import re
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

LOG_2PI = float(np.log(2 * np.pi))


class Flow:
    def __init__(self, folder, workload):
        weights = torch.from_numpy(np.fromfile(f"{folder}/weights.f32", np.float32))
        self.parameters, networks, at = [], {}, 0
        for entry in workload["parameters"]:
            length = int(np.prod(entry["shape"]))
            tensor = weights[at : at + length].view(entry["shape"]).clone().requires_grad_()
            at += length
            self.parameters.append(tensor)
            _, coupling, kind, _, _ = entry["name"].split(".")
            networks.setdefault((int(coupling), kind), []).append(tensor)
        self.networks = {key: list(zip(value[::2], value[1::2])) for key, value in networks.items()}
        self.couplings = 2 * workload["blocks"]

    def network(self, k, kind, h):
        *hidden, last = self.networks[k, kind]
        for weight, bias in hidden:
            h = F.linear(h, weight, bias)
            h = torch.tanh(h) if torch.is_grad_enabled() else h.tanh_()
        return F.linear(h, *last)

    def forward(self, z):
        """x and log |det dx/dz|."""
        channels, log_det = [z[:, 0::2].contiguous(), z[:, 1::2].contiguous()], 0
        for k in range(self.couplings):
            kept = channels[k % 2]
            s, t = self.network(k, "s", kept), self.network(k, "t", kept)
            channels[1 - k % 2] = channels[1 - k % 2] * s.exp() + t
            log_det = log_det + s.sum(1)
        return torch.stack(channels, 2).flatten(1), log_det

    def inverse(self, x):
        """z, as its two halves, and log |det dz/dx|."""
        channels, log_det = [x[:, 0::2].contiguous(), x[:, 1::2].contiguous()], 0
        for k in reversed(range(self.couplings)):
            kept = channels[k % 2]
            s, t = self.network(k, "s", kept), self.network(k, "t", kept)
            channels[1 - k % 2] = (channels[1 - k % 2] - t) * (-s).exp()
            log_det = log_det - s.sum(1)
        return channels, log_det


class Dimer:
    def __init__(self, c):
        self.c = c
        pairs = [(i, j) for i in range(c["particles"]) for j in range(i + 1, c["particles"]) if j > 1]
        self.first, self.second = torch.tensor(pairs).T.contiguous()
        self.scale = c["epsilon"] * c["sigma"] ** 12

    def energy(self, x):
        c = self.c
        # [2, particles, n]: rows of samples, so that picking pairs copies whole rows.
        p = x.t().reshape(-1, 2, x.shape[0]).transpose(0, 1).contiguous()
        dx = p[0].index_select(0, self.first) - p[0].index_select(0, self.second)
        dy = p[1].index_select(0, self.first) - p[1].index_select(0, self.second)
        inverse = (dx * dx + dy * dy).reciprocal()
        cube = inverse * inverse * inverse
        energy = self.scale * (cube * cube).sum(0)
        beyond = F.relu(x.abs() - c["halfBox"])
        energy = energy + c["boxConstant"] * (beyond * beyond).sum(1)
        x0, y0, x1, y1 = x[:, 0], x[:, 1], x[:, 2], x[:, 3]
        q = ((x0 - x1) ** 2 + (y0 - y1) ** 2).sqrt() - c["d0"]
        q2 = q * q
        centre = x0 + x1
        energy = energy + c["c1"] * q + (c["c2"] + c["c4"] * q2) * q2
        return energy + c["tether"] * (centre * centre + y0 * y0 + y1 * y1)


def soften(u, a, b):
    logarithmic = a + torch.log1p((u.clamp(a, b) - a))
    return torch.where(u <= a, u, logarithmic)


class Task:
    def __init__(self, folder, name):
        with open(f"{folder}/workload.json") as file:
            self.workload = json.load(file)
        self.flow, self.name = Flow(folder, self.workload), name
        files = {"maximumLikelihood": "data", "energy": "latent", "sampling": "normal"}
        numbers = np.fromfile(f"{folder}/{files[name]}.f32", np.float32)
        self.input = torch.from_numpy(numbers).view(self.workload["batch"], self.workload["dim"])
        adam = self.workload["adam"]
        self.optimiser = torch.optim.Adam(
            self.flow.parameters, lr=adam["timedRate"], betas=(adam["beta1"], adam["beta2"]), eps=adam["epsilon"], foreach=True
        )
        self.dimer = Dimer(self.workload["coefficients"])

    def loss(self):
        if self.name == "maximumLikelihood":
            (a, b), log_det = self.flow.inverse(self.input)
            squares = (a * a).sum(1) + (b * b).sum(1)
            return ((squares + self.workload["dim"] * LOG_2PI) / 2 - log_det).mean()
        x, log_det = self.flow.forward(self.input)
        soft = self.workload["softening"]
        u = soften(self.dimer.energy(x), soft["highEnergy"], soft["maxEnergy"])
        log_z = -((self.input * self.input).sum(1) + self.workload["dim"] * LOG_2PI) / 2
        return (u + log_z - log_det).mean()

    def step(self, factor=1):
        if self.name == "sampling":
            with torch.inference_mode():
                return self.flow.forward(self.input)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss()
        (loss if factor == 1 else factor * loss).backward()
        self.optimiser.step()
        return loss

    def rate(self, value):
        for group in self.optimiser.param_groups:
            group["lr"] = value

    def check(self, path):
        if self.name == "sampling":
            x, log_det = self.step()
            np.concatenate([x.numpy().ravel(), log_det.numpy()]).tofile(path)
            return {"losses": [], "gradientNorms": []}
        before = [parameter.detach().clone() for parameter in self.flow.parameters]
        self.rate(self.workload["adam"]["checkedRate"])
        losses, norms = [], None
        for factor in self.workload["checkedFactors"]:
            losses.append(float(self.step(factor).detach()))
            norms = norms or [float(parameter.grad.double().norm()) for parameter in self.flow.parameters]
        self.rate(self.workload["adam"]["timedRate"])
        with open(path, "wb") as file:
            for parameter, old in zip(self.flow.parameters, before):
                (parameter.detach() - old).numpy().tofile(file)
        return {"losses": losses, "gradientNorms": norms}

    def go(self, count):
        processor, wall = time.process_time(), time.perf_counter()
        for _ in range(count):
            self.step()
        return {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}


def settings():
    with open("/proc/self/maps") as file:
        libraries = set(re.findall(r"/\S*lib(?:openblas|mkl_rt|blis)\S*\.so\S*", file.read()))
    count = torch.get_num_threads()
    return f"{count} thread{'s' if count > 1 else ''}, {', '.join(sorted(libraries)) or 'no BLAS found'}"


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    folder, name, threads = sys.argv[1:4]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    task = Task(folder, name)
    answer({"version": f"PyTorch {torch.__version__}", "settings": settings()})
    for line in sys.stdin:
        verb, argument = line.rstrip("\n").split(" ", 1)
        answer(task.check(argument) if verb == "check" else task.go(int(argument)))


if __name__ == "__main__":
    main()
