"""A device that is not there: its tensors compute on the CPU, say that they are elsewhere, and refuse the CPU's.

    with pretend_device():
        x = torch.rand(3, device=ELSEWHERE)
        x + torch.ones(3)      # RuntimeError, as on CUDA

What CUDA allows is allowed: CPU tensors of no axis next to others, CPU tensors as an index, `copy_`, `item`.
"""

import contextlib
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

#: torch's name for a kind of device that this build does not have, and on which autograd needs no threads.
ELSEWHERE = torch.device("lazy", 0)

_aten = torch.ops.aten
_BETWEEN_DEVICES = {_aten._to_copy, _aten.copy_}
_INDEXED = {_aten.index, _aten.index_put, _aten.index_put_, _aten._unsafe_index, _aten._index_put_impl_}
_TAKE_A_NUMBER = {_aten.fill, _aten.fill_, _aten.masked_fill, _aten.masked_fill_, *_INDEXED}


class Elsewhere(torch.Tensor):
    """A tensor on the pretended device; `here` are its numbers."""

    @staticmethod
    def __new__(cls, here):
        with torch.inference_mode(False):  # or a view of a tensor from outside inference mode cannot be made
            made = torch.Tensor._make_wrapper_subclass(
                cls, here.size(), strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype,
                device=ELSEWHERE,
            )  # fmt: skip
        made.here = here
        return made

    def __repr__(self):
        return f"Elsewhere({self.here})"

    def tolist(self):
        return self.here.tolist()

    def new_tensor(self, *args, device=None, **kwargs):
        return self.here.new_tensor(*args, **kwargs).to(self.device if device is None else device)

    def numpy(self, **_):
        raise TypeError(f"can't convert {ELSEWHERE} device type tensor to numpy: use Tensor.cpu() first")

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __reduce_ex__(self, protocol):
        """In a file, the numbers: what is loaded with `map_location="cpu"` is the same from every device."""
        return self.here.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


class _Factories(TorchDispatchMode):
    """Makes new tensors `Elsewhere` where they are ordered with `device=ELSEWHERE`."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


@contextlib.contextmanager
def pretend_device():
    """Let `device=ELSEWHERE`, `.to(ELSEWHERE)` and `torch.autocast("lazy")` work inside."""
    autocast = torch.autocast
    with torch.device("cpu"):
        torch.empty(
            0
        )  # torch lists its constructors at their first use, and that list must hold its own, not ours

    def no_half(kind, *args, **kwargs):
        return contextlib.nullcontext() if kind == ELSEWHERE.type else autocast(kind, *args, **kwargs)

    with (
        mock.patch("torch.autocast", no_half),
        mock.patch("torch.tensor", _here_then_there(torch.tensor)),
        mock.patch("torch.as_tensor", _here_then_there(torch.as_tensor)),
        _Factories(),
    ):
        yield


def _here_then_there(make):
    """A way to make tensors that asks no mode where: on the CPU, then moved."""

    def made(*args, device=None, **kwargs):
        return make(*args, **kwargs) if device is None else make(*args, **kwargs).to(device)

    return made


def _compute(function, args, kwargs):
    """Run an operator on the CPU if all that it reads is in one place; its results are where CUDA's would be."""
    if _is_made_of_others(function):  # as in inference mode, where torch takes no operator apart
        with _Factories():
            return function.decompose(*args, **kwargs)
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    device = kwargs.get("device")
    there = any(isinstance(each, Elsewhere) for each in tensors) if device is None else _is_elsewhere(device)
    if function.overloadpacket not in _BETWEEN_DEVICES:
        _refuse_company(function, args, tensors)
    if there and any(isinstance(leaf, torch.Generator) for leaf in tree_leaves((args, kwargs))):
        raise RuntimeError(f"{function}: expected a generator on {ELSEWHERE}, got one on the CPU")
    arguments = tree_map_only(Elsewhere, lambda tensor: tensor.here, (args, kwargs))
    arguments = tree_map_only(torch.device, lambda each: "cpu" if _is_elsewhere(each) else each, arguments)
    result = function(*arguments[0], **arguments[1])
    written = list(_written(function, args, kwargs))
    for tensor in written:
        if isinstance(tensor, Elsewhere) and tensor.shape != tensor.here.shape:
            raise NotImplementedError(f"{function} changes a shape in place")
    returned = [bool(each.alias_info and each.alias_info.is_write) for each in function._schema.returns]
    if returned and all(returned):
        return written[0] if len(returned) == 1 else tuple(written)
    return tree_map_only(torch.Tensor, Elsewhere, result) if there else result


def _is_made_of_others(function):
    return torch._C._dispatch_has_kernel_for_dispatch_key(function.name(), "CompositeImplicitAutograd")


def _is_elsewhere(device):
    return torch.device(device).type == ELSEWHERE.type


def _refuse_company(function, args, tensors):
    """Raise RuntimeError where tensors of both places meet, as CUDA does."""
    packet = function.overloadpacket
    if packet in _INDEXED:
        tensors = [args[0], *(leaf for leaf in tree_leaves(args[2:]) if isinstance(leaf, torch.Tensor))]
        if not isinstance(args[0], Elsewhere):
            tensors += [index for index in args[1] if index is not None]
    if any(isinstance(each, Elsewhere) for each in tensors):
        takes_a_number = torch.Tag.pointwise in function.tags or packet in _TAKE_A_NUMBER
        strangers = [each for each in tensors if not isinstance(each, Elsewhere)]
        if any(
            each.dim() or not takes_a_number or (each is args[0] and packet.__name__.endswith("_"))
            for each in strangers
        ):
            raise RuntimeError(
                f"{function}: expected all tensors to be on the same device, got {ELSEWHERE} and cpu"
            )


def _written(function, args, kwargs):
    """The arguments that an operator writes into."""
    for position, argument in enumerate(function._schema.arguments):
        if argument.alias_info and argument.alias_info.is_write:
            yield args[position] if position < len(args) else kwargs[argument.name]
