"""What damaged files do to the readers: nothing but our own errors, in time, in memory, inside the data set's folder.

    python benchmarks/fuzz_readers.py [--mutations 10000] [--seed 0] [--processes 2]
    python benchmarks/fuzz_readers.py --only voc,coco     # these only; the others keep their last figures
    python benchmarks/fuzz_readers.py --replay voc:137        # one mutation again, with its traceback

Every row of the table of formats, on the small data set that the tests write for it. Each mutation changes one or two
files by what they are (JSON values, XML elements, cells of tables, PNG chunks, TIFF tags, bytes), then the data set is
detected, listed, and the labels of all photos resolved, every fourth time the photos too. One process per format, with
a ceiling on its address space. Then the bombs, each with a clock. Writes benchmarks/results/fuzz_readers.json.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from data.bombs import BOMBS
from data.exercise import Patient, Watch
from tessella.core.errors import TessellaError
from tessella.formats import FORMATS

RESULTS = Path(__file__).parent / "results" / "fuzz_readers.json"
HANG_SECONDS, GROWTH_MIB, BOMB_MS = 5, 256, 200
ADDRESS_SPACE = 6 << 30
SHOWN = 40


class Hang(BaseException):
    """A mutation took too long; no `except Exception` on the way stops it."""


def on_alarm(_signal: int, _frame: FrameType | None) -> None:
    """Interrupt what hangs."""
    raise Hang


def peak_mib() -> float:
    """Return the most memory that this process has held since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def forget_peak() -> None:
    """Begin the peak anew: making a damaged file of 100 MB takes more memory than the readers may."""
    Path("/proc/self/clear_refs").write_text("5")


def fuzz(name: str, mutations: int, seed: int) -> dict[str, Any]:
    """Damage and read one format's data set, in processes of its own; one that dies is followed by another."""
    context = multiprocessing.get_context("spawn")
    place, total = context.Value("q", 0), Counter[str]()
    worst: dict[str, Any] = {"slowest_seconds": 0.0, "peak_growth_mib": 0}
    examples: list[dict[str, Any]] = []
    began = time.perf_counter()
    while place.value < mutations:
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=in_a_process, args=((name, mutations, seed), place, theirs))
        process.start()
        theirs.close()
        try:
            answer = mine.recv()
        except EOFError:
            answer = {"died": True}
        process.join()
        if "died" in answer and (process.exitcode or 0) >= 0:  # a decoder that crashes ends by a signal
            answer = {"error": f"the process ended with exit code {process.exitcode}; --replay {name}:0 says why"}
        if "error" in answer:
            return answer
        total.update(answer.get("counts", {}))
        examples += answer.get("examples", [])
        worst = {key: max(value, answer.get("worst", {}).get(key, 0)) for key, value in worst.items()}
        if "died" in answer:
            total["faults"] += 1
            examples.append({"mutation": place.value, "fault": f"the process died with exit code {process.exitcode}"})
            place.value += 1
    return {
        "mutations": mutations,
        "refused_whole": mutations - total["readable"] - total["faults"],
        "still_readable": total["readable"],
        "faults": total["faults"],
        **worst,
        "seconds": round(time.perf_counter() - began, 1),
        "examples": examples[:SHOWN],
    }


def in_a_process(job: tuple[str, int, int], place: Any, answer: Connection) -> None:  # noqa: ANN401 - a shared value
    """Go through the mutations from `place` on, which says where a process that died was."""
    name, mutations, seed = job
    warnings.simplefilter("ignore")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)  # decoders write of every damaged file there
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    signal.signal(signal.SIGALRM, on_alarm)
    with tempfile.TemporaryDirectory() as folder:
        patient = Patient(name, Path(folder).resolve(), seed=seed)
        watch = Watch(Path(folder).resolve())
        for number in range(12):  # libraries are loaded and caches filled from here on
            if not patient.read(number):
                answer.send({"error": "its own data set cannot be read"})
                return
        answer.send(run(patient, watch, mutations, place))


def run(patient: Patient, watch: Watch, mutations: int, place: Any) -> dict[str, Any]:  # noqa: ANN401 - a shared value
    """Go through the mutations and count what came of them."""
    forget_peak()
    start = peak = peak_mib()
    found: list[dict[str, Any]] = []
    readable, slowest = 0, 0.0
    for number in range(place.value, mutations):
        place.value = number
        changed = list(patient.damage(number))
        forget_peak()
        fault, clock, outside = None, time.perf_counter(), []
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            with watch.on() as outside:
                readable += patient.read(number)
        except Hang:
            fault = "hang: " + last_line()
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            fault = f"{type(error).__name__}: {str(error)[:160]}; {last_line()}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        slowest, now = max(slowest, time.perf_counter() - clock), peak_mib()
        if fault is None and outside:
            fault = f"outside: {outside[0]}"
        if fault is None and now - start > GROWTH_MIB:
            fault = f"memory: {now - start:.0f} MiB above the start"
        peak = max(peak, now)
        if fault:
            found.append({"mutation": number, "files": changed, "fault": fault})
    place.value = mutations
    patient.heal()
    return {
        "counts": {"readable": readable, "faults": len(found)},
        "worst": {"slowest_seconds": round(slowest, 3), "peak_growth_mib": round(peak - start)},
        "examples": found,
    }


def last_line() -> str:
    """Return where in the package the exception being handled was raised."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [frame for frame in frames if "tessella" in frame.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}" if ours else "?"


def replay(name: str, number: int, seed: int) -> None:
    """Run one mutation again and let its exception through."""
    with tempfile.TemporaryDirectory() as folder:
        patient = Patient(name, Path(folder), seed=seed)
        for file, data in patient.damage(number).items():
            print(file, "removed" if data is None else data[:2000])
        print("labels:", patient.read(number))


def measure_bombs() -> dict[str, dict[str, Any]]:
    """Time the refusal of each bomb, the best of three: a busy neighbour is none of its doing.

    The libraries that read it are loaded before, by reading something honest of its kind.
    """
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (arm, honest, read)) in enumerate(BOMBS.items()):
            place = Path(folder, str(number))
            place.mkdir()
            read(honest(place))
            bomb, refusal = arm(place), None
            forget_peak()
            before = peak_mib()
            walls, shares = [], []
            for _ in range(3):
                wall, share = time.perf_counter(), time.process_time()
                try:
                    read(bomb)
                except TessellaError as error:
                    refusal = str(error).replace(folder, "")[:200]
                walls.append(time.perf_counter() - wall)
                shares.append(time.process_time() - share)
                if refusal is None:
                    break
            measured[name] = {
                "milliseconds": round(min(walls) * 1000, 1),
                "processor_milliseconds": round(min(shares) * 1000, 1),
                "growth_mib": round(peak_mib() - before),
                "refused": refusal,
            }
    return measured


def main() -> None:
    """Run, write the figures, and exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--replay", default="")
    options = parser.parse_args()
    if options.replay:
        name, _, number = options.replay.partition(":")
        replay(name, int(number), options.seed)
        return
    names = [name for name in options.only.split(",") if name] or list(FORMATS)
    results = json.loads(RESULTS.read_text())["formats"] if RESULTS.exists() and options.only else {}
    with ThreadPoolExecutor(options.processes) as pool:  # each thread waits for a process
        jobs = {name: pool.submit(fuzz, name, options.mutations, options.seed) for name in names}
        for name, job in jobs.items():
            results[name] = job.result()
            print(name, json.dumps(results[name], indent=2), flush=True)
    bombs = measure_bombs()
    ok = all(
        not row.get("error") and not row["faults"] and row["slowest_seconds"] <= HANG_SECONDS
        and row["peak_growth_mib"] <= GROWTH_MIB
        for row in results.values()
    ) and all(row["refused"] and row["milliseconds"] <= BOMB_MS for row in bombs.values())  # fmt: skip
    report = {
        "command": "python benchmarks/fuzz_readers.py",
        "what": "damaged data sets, read: only our own errors, in time, in memory, inside the folder; bombs, refused",
        "bars": {"seconds": HANG_SECONDS, "growth_mib": GROWTH_MIB, "bomb_milliseconds": BOMB_MS},
        "ok": ok,
        "seed": options.seed,
        "formats": {name: results[name] for name in FORMATS if name in results},
        "bombs": bombs,
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
    }
    print(json.dumps(bombs, indent=2))
    print("ok" if ok else "NOT ok")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
