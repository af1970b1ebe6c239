"""Say which CUDA device the notebooks will use, or stop with the reason why there is none."""

import sys

from deeplab_lessons import runtime  # isort: skip  # sets how torch's threads wait
import torch

try:
    device = runtime.device()
except RuntimeError as error:
    sys.exit(f"make test-gpu needs a CUDA device. {error}")
name = torch.cuda.get_device_name(device)
print(f"torch {torch.__version__}, Python {sys.version.split()[0]}, {name}")
