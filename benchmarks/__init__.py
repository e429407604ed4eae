"""The figures that are promised, measured: ratios against a peer or a bound, in one run.

`python -m benchmarks` measures them all, `python -m benchmarks decoding fleet` only some; `--quick` takes fewer
rounds and smaller networks, `--write` puts the table into `docs/reference/benchmarks.md`.
"""
