"""Run every measurement, each in a process of its own. `make bench` calls it.

Each compares with a floor or a peer in the same run, and exits with 1 where its ratio is not reached:
times alone say nothing on a machine that others share.
"""

# ruff: noqa: T201  what a measurement is for is to be read
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    failed = []
    for script in sorted(HERE.glob("[a-z]*.py")):
        print(f"== {script.stem.replace('_', ' ')}", flush=True)
        if subprocess.run(
            [sys.executable, "-m", f"bench.{script.stem}"], cwd=HERE.parent, check=False
        ).returncode:
            failed.append(script.stem)
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "every ratio is reached")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
