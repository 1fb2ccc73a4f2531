"""Audio of callers, made when it is needed: mu-law at 8 kHz from Debian's flite and espeak-ng, noise by a seeded
generator."""
import functools
import math
import random
import subprocess
import tempfile
import warnings
import wave
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it leaves Python with 3.13; Debian 12 has 3.11
    import audioop

HZ = 8000
SILENCE = b"\xff"
SOUND_DB = 30  # of a rms of 1
FLITE = ("slt", "rms", "awb", "kal16")  # of people; espeak-ng's is made of formants and harder to recognise


def silence(ms):
    return SILENCE * (ms * HZ // 1000)


def _mulaw_of(path):
    with wave.open(str(path)) as file:
        samples, hz = file.readframes(file.getnframes()), file.getframerate()
    if hz != HZ:
        samples = audioop.ratecv(samples, 2, 1, hz, HZ, None)[0]
    return audioop.lin2ulaw(samples, 2)


@functools.lru_cache(maxsize=None)
def flite(text, voice="slt"):
    """A person's words in English."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        return _mulaw_of(path)


@functools.lru_cache(maxsize=None)
def espeak(text, voice="en-us", rate=160):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(rate), "-w", str(path), text], check=True)
        return _mulaw_of(path)


def noise(ms, rms=300, seed=1):
    """White noise of that loudness (of 32767)."""
    generator = random.Random(seed)
    samples = [max(-32768, min(32767, int(generator.gauss(0, rms)))) for _ in range(ms * HZ // 1000)]
    return audioop.lin2ulaw(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples), 2)


def louder(mulaw, factor):
    return audioop.lin2ulaw(audioop.mul(audioop.ulaw2lin(mulaw, 2), 2, factor), 2)


def mixed(one, other):
    """Both at once; as long as the first."""
    other = (other * (len(one) // max(1, len(other)) + 1))[:len(one)]
    return audioop.lin2ulaw(audioop.add(audioop.ulaw2lin(one, 2), audioop.ulaw2lin(other, 2), 2), 2)


def rms(mulaw):
    return audioop.rms(audioop.ulaw2lin(mulaw, 2), 2) if mulaw else 0


def clipped(mulaw):
    """Samples at full scale, as a share of all: what sounds like crackling."""
    return sum(code in (0x00, 0x80) for code in mulaw) / max(1, len(mulaw))


def _levels(mulaw):
    """Loudness in dB every 20 ms."""
    return [20 * math.log10(max(20, rms(mulaw[at:at + 160]))) for at in range(0, len(mulaw) - 159, 160)]


def onset_ms(mulaw):
    """When the first sound begins."""
    return 20 * next(at for at, level in enumerate(_levels(mulaw)) if level > SOUND_DB)


def _envelope(mulaw):
    """Loudness in dB every 20 ms, from the first sound to the last."""
    levels = _levels(mulaw)
    loud = [at for at, level in enumerate(levels) if level > SOUND_DB]
    return levels[loud[0]:loud[-1] + 1] if loud else []


def _correlation(one, other):
    count = min(len(one), len(other))
    one, other = one[:count], other[:count]
    mean, mean_other = sum(one) / count, sum(other) / count
    both = sum((a - mean) * (b - mean_other) for a, b in zip(one, other))
    scale = math.sqrt(sum((a - mean) ** 2 for a in one) * sum((b - mean_other) ** 2 for b in other))
    return both / scale if scale else 0


def alike(one, other):
    """1: the same words by the same voice; below 0.5: others. espeak-ng never says a text in the very same bytes
    again, so that rise and fall of the loudness are compared."""
    one, other = _envelope(one), _envelope(other)
    if not one or not other or abs(len(one) - len(other)) > 5 + max(len(one), len(other)) // 10:
        return 0
    return max(_correlation(one[max(0, lag):], other[max(0, -lag):]) for lag in range(-8, 9))


def wav(mulaw, path):
    """For a person's ears, when a story fails."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HZ)
        file.writeframes(audioop.ulaw2lin(mulaw, 2))
