"""The parts of ``benchmarks/streaming.py``: material, the ways to transcribe it, costs, scores."""
