"""kinks.py -- is a picture's gradient settled, or a matter of rounding?

Where the input of a ReLU, or the distance of the two largest of a pooling
window, is 0 but for rounding, two correct programs take different sides, and
one such gate can move a gradient by more than the tolerance that programs are
compared at.  So pictures to compare at are chosen before, by PyTorch alone:
the gradient is computed in double precision with every derivative taken a
little above, and again a little below, where the forward pass was.  A little
is SHARE times what PyTorch's own float32 is off at that very function.  Where
the two gradients agree, rounding decides nothing.
"""
from contextlib import ExitStack
import copy
import inspect
from unittest import mock

import torch
import torch.nn.functional as F

SHARE = 4
SETTLED = 2e-4  # of the gradient's largest element


class Shifted(torch.autograd.Function):
    """y = f(x), dy/dx = f'(x + shift)"""

    @staticmethod
    def forward(context, x, f, shift):
        context.save_for_backward(x, shift)
        context.f = f
        return f(x)

    @staticmethod
    def backward(context, gradient):
        x, shift = context.saved_tensors
        with torch.enable_grad():
            moved = (x + shift).detach().requires_grad_()
            slope, = torch.autograd.grad(context.f(moved), moved, gradient)
        return slope, None, None


def out_of_place(function, args, options):
    """the arguments behind the first, without asking to overwrite it"""
    names = list(inspect.signature(function).parameters)
    if 'inplace' in names:
        options = {**dict(zip(names[1:], args)), **options, 'inplace': False}
        args = ()
    return args, options


class Probe:
    """Stands in for PyTorch's functions with kinks, in the order of calls"""

    def __init__(self):
        self.inputs = []  # of those functions, in one pass
        self.tolerances = None
        self.side = 0     # -1, 1: derivatives are taken below, above
        self.calls = 0

    def at(self, side, *what):
        self.side, self.calls = side, 0
        found = gradient(*what)
        assert self.calls == len(self.tolerances)
        return found

    def stand_in(self, original, pooling):
        def call(x, *args, **options):
            def f(t):
                return original(t, *args, **options)
            args, options = out_of_place(original, args, options)
            if self.side == 0:
                self.inputs.append(x.detach())
                return f(x)
            shift = torch.full_like(x, self.side * self.tolerances[self.calls])
            self.calls += 1
            if pooling:  # the two largest must move apart; zeros are a ReLU's
                generator = torch.Generator().manual_seed(self.calls)
                shift *= torch.randint(2, x.shape, generator=generator) * 2 - 1
                shift *= x != 0
            return Shifted.apply(x, f, shift)
        return call

    def patch(self):
        stack = ExitStack()
        for name in ('relu', 'relu6', 'hardtanh', 'hardswish', 'hardsigmoid',
                     'leaky_relu', 'max_pool2d'):
            original = getattr(F, name)
            stack.enter_context(mock.patch.object(
                F, name, self.stand_in(original, name == 'max_pool2d')))
        return stack


def gradient(model, picture, seed):
    """<seed, embedding> with respect to the activation; model gives both"""
    embedding, middle = model(picture)
    model.middle = None
    return torch.autograd.grad((embedding * seed).sum(), middle)[0]


def spread(model, picture, seed):
    """how far rounding alone can move the gradient, of its largest element"""
    model.middle = None
    double = copy.deepcopy(model).double()
    wide, wide_seed = picture.double().requires_grad_(), seed.double()
    single, exact = Probe(), Probe()
    with single.patch():
        given = gradient(model, picture.clone().requires_grad_(), seed)
    with exact.patch(), torch.no_grad():
        double(wide)
    assert len(single.inputs) == len(exact.inputs)
    exact.tolerances = [SHARE * (a.double() - b).abs().max().item()
                        for a, b in zip(single.inputs, exact.inputs)]
    with exact.patch():
        sides = [exact.at(side, double, wide, wide_seed) for side in (1, -1)]
    largest = given.abs().max().item()
    return max((a - b).abs().max().item() / largest
               for a, b in (sides, (sides[0], given), (sides[1], given)))


def settled_picture(model, shape, limit=200):
    """the first random picture and seed whose gradient is settled, and how
    many were passed over"""
    for passed_over in range(limit):
        picture = torch.randn(shape)
        with torch.no_grad():
            seed = torch.randn_like(model(picture)[0])
        if spread(model, picture, seed) <= SETTLED:
            return picture, seed, passed_over
    raise RuntimeError(f'none of {limit} pictures has a settled gradient')
