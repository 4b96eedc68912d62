"""What a generation costs against the pages that changed, and against those that live: the plot of the
README, and the same points as a table."""

import shutil
import subprocess

from tests.bench.report import FOLDER

# One row of plots: a figure, a curve for each block size.
SCRIPT = """
set terminal svg size 900,360 font "sans,12" background "white"
set output "{folder}/cost.svg"
set multiplot layout 1,2
set logscale xy 2
set key left top
set grid
set format x "%.0f"
set ylabel "bytes written, KiB"
set format y "%.0f"
set xlabel "pages changed (16,384 live)"
plot {changed}, 4*x title "the pages themselves" with lines dashtype 2 linecolor "gray"
set xlabel "pages alive (64 changed)"
set yrange [64:4096]
plot {alive}
unset multiplot
"""


def write(points):
    """`points`: (curve "changed" or "alive", block size, pages, bytes written)."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    curves = {}
    for curve, block_size, pages, size in points:
        curves.setdefault(curve, {}).setdefault(block_size, []).append((pages, size))
    lines = {}
    for curve, blocks in curves.items():
        for block_size, values in blocks.items():
            table = FOLDER / f"{curve}_{block_size}.dat"
            table.write_text("".join(f"{pages} {size / 1024:.1f}\n" for pages, size in values),
                             encoding="utf-8")
            lines.setdefault(curve, []).append(
                f'"{table}" title "{block_size}-byte blocks" with linespoints')
    if not shutil.which("gnuplot"):
        print("plot: skipped, gnuplot is not installed")
        return
    script = SCRIPT.format(folder=FOLDER, **{curve: ", ".join(text)
                                             for curve, text in lines.items()})
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    print("plot: build/bench/cost.svg")
