import sys, io, resource
from PIL import Image, features
import numpy as np


def hw():
    return int([l for l in open("/proc/self/status") if l.startswith("VmHWM")][0].split()[1]) / 1024


mode, fmt, side = sys.argv[1], sys.argv[2], int(sys.argv[3])
p = f"/tmp/x_{mode}_{side}.{'jp2' if fmt == 'JPEG2000' else 'ppm'}"
import os

if not os.path.exists(p):
    a = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    a = np.asarray(Image.fromarray(a).resize((side // 8, side // 8)).resize((side, side)))
    Image.fromarray(a).convert(mode).save(p, fmt)
    sys.exit()
Image.init()
d = open(p, "rb").read()
base = hw()
im = Image.open(io.BytesIO(d))
im.load()
print(mode, fmt, im.mode, (hw() - base) * 1048576 / side / side, "bytes/pixel")
