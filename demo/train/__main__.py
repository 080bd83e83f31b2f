"""`python -m demo.train all` makes the demo's model from nothing; `--help` lists the single stages.

The pieces depend on each other like this, and two cores are kept busy all the time:
art and text -> base (its six stages) beside kl -> export -> LoRAs, two at a time -> dress.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import torch

from demo.train import stages
from demo.train.dress import dress
from demo.train.lora import run_lora
from demo.train.settings import FULL, TOY
from demo.world.concepts import CONCEPTS

MODELS = Path(__file__).parents[1] / "models"
# One thread each; and memory that was needed once is kept, in large pages, as every step needs it again.
QUICK = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "200000000",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
STAGES = ("art", "text", "kl", "base", "export", "lora", "dress")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.train", description=__doc__)
    parser.add_argument("stage", choices=("all", *STAGES))
    parser.add_argument(
        "names", nargs="*", help=f"for `lora`: which ones ({', '.join(CONCEPTS)}); none means all"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/train"), help="where states and weights are kept"
    )
    parser.add_argument(
        "--models", type=Path, default=None, help="where finished files go (default: OUT/models)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that share each step of the base model"
    )
    parser.add_argument("--toy", action="store_true", help="three steps a stage, to see that everything fits")
    return parser.parse_args()


def child(args: argparse.Namespace, *what: str, **environment: str) -> subprocess.Popen[bytes]:
    """One stage in its own process, on one thread."""
    command = [
        sys.executable,
        "-m",
        "demo.train",
        *what,
        "--out",
        str(args.out),
        "--models",
        str(args.models),
    ]
    command += ["--toy"] * args.toy
    return subprocess.Popen(command, env={**os.environ, **QUICK, **environment})


def wait(*children: subprocess.Popen[bytes]) -> None:
    """Wait for all; when one fails, end the others, which might wait for it for ever."""
    while True:
        states = [process.poll() for process in children]
        failed = [state for state in states if state]
        if failed:
            for process in children:
                process.terminate()
            raise SystemExit(failed[0])
        if None not in states:
            return
        time.sleep(0.2)


def free_port() -> int:
    """A port for the team to meet at, so that two trainings can run side by side."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def team(args: argparse.Namespace) -> list[subprocess.Popen[bytes]]:
    """The base stage on several processes."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(args.workers)}
    return [
        child(args, "base", "--workers", str(args.workers), RANK=str(n), **address)
        for n in range(args.workers)
    ]


def run_all(args: argparse.Namespace) -> None:
    wait(child(args, "art"), child(args, "text"))
    wait(child(args, "kl"), *team(args))
    wait(child(args, "export"))
    names = list(CONCEPTS)
    while names:
        pair, names = names[:2], names[2:]
        wait(*(child(args, "lora", name) for name in pair))
    wait(child(args, "dress"))


def main() -> None:
    args = arguments()
    args.models = args.models or args.out / "models"
    settings = TOY if args.toy else FULL
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # numbers next to nothing are slow
    if args.stage == "all":
        run_all(args)
    elif args.stage == "base" and args.workers > 1 and "RANK" not in os.environ:
        wait(*team(args))
    elif args.stage == "export":
        print(stages.run_export(args.out, args.models / "checkpoint"))
    elif args.stage == "dress":
        print(*dress(args.models), sep="\n")
    elif args.stage == "lora":
        for name in args.names or CONCEPTS:
            print(run_lora(settings, args.out, args.models, name))
    else:
        {"art": stages.run_art, "text": stages.run_text, "kl": stages.run_kl, "base": stages.run_base}[
            args.stage
        ](settings, args.out)


if __name__ == "__main__":
    main()
