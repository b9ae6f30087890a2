#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds, runs and looks after the fuzz targets. docs/fuzzing.md tells how to use it."""
import argparse
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from seeds import crc

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "fuzz-work"
MAX_INPUT = 4096  # Bytes of an input that an engine makes.
MAX_FILES, MAX_TOTAL = 500, 1 << 20  # Of a folder of the corpus.
KEPT = ("regress-", "case-")  # Files that merging never removes.
LIBFUZZER = (f"-max_len={MAX_INPUT}", "-timeout=5", "-dict=fuzz/lwp.dict", "-rss_limit_mb=2048", "-malloc_limit_mb=64",
             "-print_final_stats=1")
AFL = {"AFL_QUIET": "1", "AFL_NO_UI": "1", "AFL_NO_AFFINITY": "1", "AFL_SKIP_CPUFREQ": "1",
       "AFL_FAST_CAL": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1"}
FOREIGN = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "MSAN_OPTIONS", "LIB_FUZZING_ENGINE",
           "AFL_CUSTOM_MUTATOR_LIBRARY")  # Of the caller's environment, that would change results.


DICTIONARY = ROOT / "fuzz" / "lwp.dict"  # Written by `fuzz.py dict`, given to both engines.
HEADER = struct.Struct("<4sBBHIQQIIII")


class Failure(Exception):
    """What a user is told; the exit status is 1."""


class Usage(Failure):
    """Wrong use; the exit status is 64."""


class Target:
    """A row of fuzz/CMakeLists.txt: lwp_fuzzer(NAME [STREAM HEAD_SIZE] LAYERS...)."""

    def __init__(self, name, head_size):
        self.name = name
        self.head_size = head_size  # None: the mutator is not for its inputs.
        self.corpus = ROOT / "corpus" / name
        self.work = WORK / name

    def binary(self, preset):
        return ROOT / "build" / preset / "bin" / f"fuzz_{self.name}"

    def mutator(self):
        return ROOT / "build" / "release" / "fuzz" / f"mutate_{self.name}.so"

    def files(self):
        return sorted(path for path in self.corpus.iterdir() if path.is_file())


def all_targets():
    text = (ROOT / "fuzz" / "CMakeLists.txt").read_text(encoding="utf-8")
    rows = re.findall(r"^ *lwp_fuzzer\((\w+)(?: STREAM (\d+))?", text, re.MULTILINE)
    return {name: Target(name, int(head) if head else None) for name, head in rows}


def chosen(names):
    """The targets of these names, or all."""
    known = all_targets()
    for name in names:
        if name not in known:
            raise Usage(f"no target {name}; there are {' '.join(known)}")
    targets = [known[name] for name in names or known]
    for target in targets:
        if not target.corpus.is_dir() or not target.files():
            raise Failure(f"corpus/{target.name}: empty; fuzz/seeds.py writes it")
    return targets


def environment(**more):
    return {key: value for key, value in os.environ.items() if key not in FOREIGN} | more


def run(command, log=None, **options):
    """Runs it; its output goes to the log, or is returned. The status is the caller's to judge."""
    command = [str(part) for part in command]
    if log is None:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT,
                              errors="replace", **options)
    with open(log, "w", encoding="utf-8") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, cwd=ROOT,
                              **options)


def build(preset, names):
    """Configures and builds these programs of a preset."""
    for command in (["cmake", "--preset", preset],
                    ["cmake", "--build", "--preset", preset, "--target", *names]):
        result = run(command, env=environment())
        if result.returncode:
            raise Failure(f"{' '.join(command)}\n{result.stdout}{result.stderr}")


def check_sanitizers(target, preset):
    """A target that was built without them would find little, and in silence."""
    result = run(["nm", target.binary(preset)])
    for symbol in ("__asan_init", "__ubsan_handle"):
        if symbol not in result.stdout:
            raise Failure(f"{target.binary(preset)}: built without {symbol}: no sanitizer")


def build_engine(targets, preset):
    build(preset, [f"fuzz_{target.name}" for target in targets])
    for target in targets:
        check_sanitizers(target, preset)


def number(path, pattern):
    """The last number behind the pattern in a file of statistics; 0 if there is none."""
    found = re.findall(pattern, path.read_text(encoding="utf-8", errors="replace")
                       if path.exists() else "")
    return int(float(found[-1])) if found else 0


class Outcome:
    """What came of a target under an engine."""

    def __init__(self, target, engine, executions, rate, fault):
        self.target, self.engine = target, engine
        self.executions, self.rate = executions, rate
        self.fault = fault or ("" if executions else "nothing was executed")

    def line(self):
        return (f"{self.target.name:<9} {self.engine:<10} {self.executions:>10} executions "
                f"{self.rate:>7}/s  {self.fault or 'ok'}")


def run_libfuzzer(target, options):
    """Fuzzes from the corpus into build/fuzz-work; what is found stays in `artifacts`."""
    corpus, artifacts = target.work / "corpus", target.work / "artifacts"
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(artifacts.iterdir())
    bound = [f"-runs={options.runs}"] if options.runs else [f"-max_total_time={options.seconds}"]
    command = [target.binary("fuzz"), corpus, target.corpus, artifacts, *LIBFUZZER, *bound,
               f"-artifact_prefix={artifacts}/"]
    if options.seed is not None:
        command += [f"-seed={options.seed}"]
    log = target.work / "libfuzzer.log"
    result = run(command, log, env=environment(), timeout=options.seconds * 10 + 600)
    found = sorted(path.name for path in set(artifacts.iterdir()) - before
                   if not path.name.startswith("slow-"))
    fault = ""
    if found:
        fault = f"FOUND {artifacts.relative_to(ROOT)}/{found[0]}"
    elif result.returncode:
        fault = f"FAILED with exit status {result.returncode}, see {log.relative_to(ROOT)}"
    return Outcome(target, "libfuzzer", number(log, r"stat::number_of_executed_units: *(\d+)"),
                   number(log, r"stat::average_exec_per_sec: *(\d+)"), fault)


def run_afl(target, options):
    """The same with AFL++, and with the mutator where it is for the target's inputs."""
    folder = target.work / "afl"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    more = dict(AFL)
    if target.head_size is not None:
        more["AFL_CUSTOM_MUTATOR_LIBRARY"] = str(target.mutator())
    bound = ["-E", options.runs] if options.runs else ["-V", options.seconds]
    seed = ["-s", options.seed] if options.seed is not None else []
    log = target.work / "afl.log"
    result = run(["afl-fuzz", "-i", target.corpus, "-o", folder, "-G", MAX_INPUT, "-t", "5000", "-x",
                  DICTIONARY, *seed,
                  *bound, "--", target.binary("afl")], log, env=environment(**more),
                 timeout=options.seconds * 10 + 600)
    stats = folder / "default" / "fuzzer_stats"
    found = sorted(path for kind in ("crashes", "hangs")
                   for path in (folder / "default" / kind).glob("id:*"))
    artifacts = target.work / "artifacts"
    artifacts.mkdir(exist_ok=True)
    for path in found:
        digest = hashlib.sha1(path.read_bytes()).hexdigest()
        shutil.copyfile(path, artifacts / f"afl-{digest}")
    fault = ""
    stability = number(stats, r"stability *: *([\d.]+)%")
    if found:
        fault = f"FOUND {len(found)}, see {artifacts.relative_to(ROOT)}"
    elif result.returncode:
        fault = f"FAILED with exit status {result.returncode}, see {log.relative_to(ROOT)}"
    elif stability < options.stability:
        fault = f"FAILED: {stability} % stable, not {options.stability} %: state is left behind"
    return Outcome(target, "afl", number(stats, r"execs_done *: *(\d+)"),
                   number(stats, r"execs_per_sec *: *([\d.]+)"), fault)


def fuzz(engine, options):
    """Two targets at a time. True if none found anything, and each executed something."""
    targets = chosen(options.targets)
    build_engine(targets, "fuzz" if engine is run_libfuzzer else "afl")
    if engine is run_afl:
        streams = [f"mutate_{target.name}" for target in targets if target.head_size is not None]
        if streams:
            build("release", streams)
    for target in targets:
        target.work.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda target: engine(target, options), targets))
    for outcome in outcomes:
        print(outcome.line())
    return not any(outcome.fault for outcome in outcomes)


def command_list(_options):
    for target in all_targets().values():
        files = target.files() if target.corpus.is_dir() else []
        text = (ROOT / "fuzz" / f"fuzz_{target.name}.c").read_text(encoding="utf-8")
        about = re.search(r"/\* ((?!SPDX).*?)[.;:]", text, re.DOTALL)
        print(f"{target.name:<9} {len(files):>4} files  "
              f"{'frames' if target.head_size is not None else 'bytes':<7} "
              f"{' '.join(about.group(1).replace('*', '').split()) if about else ''}")
    return True


def command_build(options):
    build_engine(chosen(options.targets), options.preset)
    return True


def replay_one(target, preset, write):
    verdicts = ROOT / "corpus" / "verdicts" / f"{target.name}.tsv"
    verdicts.parent.mkdir(exist_ok=True)
    option = "--write-verdicts" if write else "--verdicts"
    result = run([target.binary(preset), option, verdicts, target.corpus], env=environment(),
                 timeout=600)
    print(f"{target.name:<9} {result.stdout.strip()}{'' if result.returncode == 0 else '  FAILED'}")
    if result.returncode:
        print(result.stderr[-4000:], file=sys.stderr)
    return result.returncode == 0


def command_replay(options):
    """The corpus through each target, and the verdict on each input as it is kept."""
    targets = chosen(options.targets)
    build(options.preset, [f"fuzz_{target.name}" for target in targets])
    return all([replay_one(target, options.preset, options.bless) for target in targets])


def command_minimize(options):
    """Makes an input that crashes smaller, as long as it crashes."""
    [target] = chosen([options.target])
    if not options.file.is_file():
        raise Usage(f"{options.file}: no such file")
    build_engine([target], "fuzz")
    out = options.out or options.file.with_name(options.file.name + ".min")
    run([target.binary("fuzz"), "-minimize_crash=1", "-runs=20000", f"-exact_artifact_path={out}",
         *LIBFUZZER, options.file], WORK / "minimize.log", env=environment(), timeout=1200)
    if not out.exists():
        raise Failure(f"{options.file}: does not crash fuzz_{target.name}, or is as small as can be; "
                      f"see {WORK.relative_to(ROOT)}/minimize.log")
    print(f"{out}: {options.file.stat().st_size} bytes are {out.stat().st_size} now")
    return True


def merge_one(target):
    """The smallest set of inputs that reaches all that corpus and work reach, as found-HASH."""
    fresh = target.work / "merged"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    result = run([target.binary("fuzz"), "-set_cover_merge=1", *LIBFUZZER, fresh, target.corpus,
                  target.work / "corpus"], target.work / "merge.log", env=environment(), timeout=3600)
    if result.returncode:
        raise Failure(f"merging {target.name} failed, see {target.work}/merge.log")
    present = {hashlib.sha1(path.read_bytes()).hexdigest() for path in target.files()}
    room = MAX_FILES - len(target.files())
    total = MAX_TOTAL - sum(path.stat().st_size for path in target.files())
    added = 0
    for path in sorted(fresh.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        data = path.read_bytes()
        digest = hashlib.sha1(data).hexdigest()
        if digest in present or room == added or len(data) > total:
            continue
        (target.corpus / f"found-{digest[:16]}").write_bytes(data)
        added, total = added + 1, total - len(data)
    print(f"{target.name}: {added} inputs added, {len(target.files())} in all")


def rows(path, pattern):
    """What the pattern finds in a table of the library's."""
    return re.findall(pattern, (ROOT / "lwp" / "wire" / path).read_text(encoding="utf-8"), re.MULTILINE)


def words():
    """What is worth knowing, by name: fronts of headers with both checksums, commands, types, texts."""
    for flags in (0x04, 0x05, 0x08, 0x10, 0x20, 0x40):
        front = b"LANC" + bytes((1, flags, 0, 0))
        for name in ("iso", "castagnoli"):
            yield f"header_{flags:02x}_{name}", front + struct.pack("<I", crc(name, front))
    for code, name in rows("commands.def", r"^LWP_COMMAND\((0x\w+), (\w+),"):
        yield f"command_{name.lower()}", struct.pack("<Q", int(code, 16))
    for code, name in rows("tlv.def", r"^LWP_TLV\((0x\w+), (\w+),"):
        yield f"record_{name.lower()}", struct.pack("<BI", int(code, 16), 5)
    for name, text in rows("texts.def", r'^LWP_TEXT\((\w+),\s*"([^"]+)"'):
        yield f"text_{name.lower()}", text.encode()[:48]
    for key in ("id", "name", "created_at", "topics", "topic_epoch", "max_age_secs", "max_bytes", "code",
                "message", "details", "leader_addr", "retry_after_ms", "server_offset", "consumer",
                "topic_id", "topic_name", "offset", "peer_states"):
        yield f"key_{key}", f'"{key}":'.encode()


def command_dict(options):
    """Writes the dictionary from the library's tables, so that it can not be out of step."""
    def quoted(data):
        return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'\\"' else f"\\x{byte:02x}"
                       for byte in data)
    text = "# Made by fuzz/fuzz.py dict.\n" + "".join(
        f'{name}="{quoted(data)}"\n' for name, data in words())
    if options.check:
        if not DICTIONARY.exists() or DICTIONARY.read_text(encoding="utf-8") != text:
            raise Failure(f"{DICTIONARY.relative_to(ROOT)}: not what `fuzz.py dict` makes")
        return True
    DICTIONARY.write_text(text, encoding="utf-8")
    return True


def command_show(options):
    """An input for people: its head, and frames and operations in their order."""
    target = all_targets().get(options.target)
    if target is None or target.head_size is None:
        raise Usage(f"{options.target}: not a target whose inputs are streams of frames")
    if not options.file.is_file():
        raise Usage(f"{options.file}: no such file")
    ops = {int(code, 16): (name, int(size)) for code, name, size in re.findall(
        r"^FUZZ_OP\((0x\w+), (\w+), *(\d)", (ROOT / "fuzz" / "ops.def").read_text(encoding="utf-8"),
        re.MULTILINE)}
    data = options.file.read_bytes()
    print(f"{'head':<10} {data[:target.head_size].hex(' ')}")
    at = target.head_size
    while at < len(data):
        if data[at:at + 4] == b"LANC" and len(data) - at >= HEADER.size:
            _, _, flags, _, _, batch_id, _, count, size, _, topic = HEADER.unpack_from(data, at)
            payload = data[at + HEADER.size:at + HEADER.size + size]
            print(f"{'frame':<10} flags={flags:02x} batch_id={batch_id:#x} record_count={count} topic_id={topic} "
                  f"payload_length={size} payload={payload.hex(' ')}")
            at += HEADER.size + len(payload)
            continue
        end = at
        while end < len(data) and data[end] not in ops and data[end:end + 4] != b"LANC":
            end += 1
        if end > at:
            print(f"{'nothing':<10} {data[at:end].hex(' ')}")
            at = end
            continue
        name, size = ops.get(data[at], ("nothing", 0))
        argument = data[at + 1:at + 1 + size]
        at += 1 + size
        raw = data[at:at + argument[0]] if name == "RAW" and argument else b""
        at += len(raw)
        print(f"{name.lower():<10} {argument.hex(' ')}{'  ' + raw.hex(' ') if raw else ''}")
    return True


def command_merge(options):
    targets = chosen(options.targets)
    build_engine(targets, "fuzz")
    for target in targets:
        merge_one(target)
    return True


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, function, about, targets=True):
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(function=function)
        if targets:
            sub.add_argument("targets", nargs="*", metavar="TARGET", help="[all]")
        return sub

    command("list", command_list, "name the targets", targets=False)
    sub = command("build", command_build, "build targets for an engine")
    sub.add_argument("--preset", default="fuzz", choices=("fuzz", "afl"))
    for name, engine, about in (("run", run_libfuzzer, "fuzz with libFuzzer"),
                                ("afl", run_afl, "fuzz with AFL++")):
        sub = command(name, lambda options, engine=engine: fuzz(engine, options), about)
        sub.add_argument("--seconds", type=int, default=30, help="for each target [30]")
        sub.add_argument("--runs", type=int, help="so many executions instead")
        sub.add_argument("--seed", type=int, help="of the engine's dice")
        sub.add_argument("--jobs", type=int, default=2, help="targets at a time [2]")
        sub.add_argument("--stability", type=int, default=95, help="least of AFL++'s, in percent [95]")
    sub = command("replay", command_replay, "run the corpus and compare the verdicts")
    sub.add_argument("--preset", default="dev", help="whose build [dev]")
    sub.add_argument("--bless", action="store_true", help="keep the verdicts as they are now")
    sub = command("minimize", command_minimize, "make a crash smaller", targets=False)
    sub.add_argument("target", metavar="TARGET")
    sub.add_argument("file", type=Path)
    sub.add_argument("--out", type=Path, help="[FILE.min]")
    sub = command("dict", command_dict, "write the dictionary from the tables", targets=False)
    sub.add_argument("--check", action="store_true", help="only tell whether it is what it should be")
    sub = command("show", command_show, "an input for people", targets=False)
    sub.add_argument("target", metavar="TARGET")
    sub.add_argument("file", type=Path)
    command("merge", command_merge, "take what was found into the corpus, as little as will do")
    return parser.parse_args()


def main():
    options = parse()
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        return 0 if options.function(options) else 1
    except Usage as failure:
        print(f"fuzz.py: {failure}", file=sys.stderr)
        return 64
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"fuzz.py: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
