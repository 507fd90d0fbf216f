"""WhisperLiveKit on some sides of calls, at speaking speed; run by the Python of an environment that has it.

    PYTHON wlk_run.py MODEL SIDE.pcm ...     16 kHz, 16 bit, mono; all sides at once, as calls are

Its own defaults with faster-whisper and local agreement (``wlk --backend faster-whisper --backend-policy
localagreement --model-path MODEL --pcm-input --lan en``). Prints one JSON object: what stood in its lines
when, side by side, and what the process took.
"""

import asyncio
import json
import logging
import resource
import sys
import time
from pathlib import Path

STEP = 0.1
RATE = 16000
LAST_WORDS = 60.0


async def _hear(engine: object, sound: bytes) -> list[tuple[float, str]]:
    from whisperlivekit.audio_processor import AudioProcessor

    processor = AudioProcessor(transcription_engine=engine)
    results = await processor.create_tasks()
    stood: list[tuple[float, str]] = []
    began = time.monotonic()

    async def collect() -> None:
        async for front in results:
            text = " ".join(line["text"] for line in front.to_dict()["lines"] if line.get("text"))
            if not stood or stood[-1][1] != text:
                stood.append((round(time.monotonic() - began, 3), text))

    collecting = asyncio.create_task(collect())
    step = round(STEP * RATE) * 2
    for at in range(0, len(sound), step):
        due = began + (at + step) / (2 * RATE)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        await processor.process_audio(sound[at : at + step])
    await processor.process_audio(b"")
    await asyncio.wait([collecting], timeout=LAST_WORDS)
    collecting.cancel()
    await processor.cleanup()
    return stood


async def _run(model: str, sounds: list[bytes]) -> dict[str, object]:
    from whisperlivekit.core import TranscriptionEngine

    engine = TranscriptionEngine(
        pcm_input=True, lan="en", backend="faster-whisper", backend_policy="localagreement", model_path=model
    )
    before = time.process_time()
    sides = await asyncio.gather(*(_hear(engine, sound) for sound in sounds))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": time.process_time() - before, "peak_mb": used.ru_maxrss / 1024, "sides": sides}


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(asyncio.run(_run(sys.argv[1], [Path(path).read_bytes() for path in sys.argv[2:]]))))
