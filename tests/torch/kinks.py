"""kinks.py -- is a picture's gradient settled, or a matter of rounding?

Where the input of a ReLU, or the distance of the two largest of a pooling
window, is 0 but for rounding, two correct programs take different sides, and
one such gate can move a gradient by more than the tolerance that programs are
compared at.  So pictures to compare at are chosen before, by PyTorch alone:
the gradient is computed in double precision (from the activation on, which is
float32's) with every derivative taken a little above, and again a little
below, where the forward pass was.  A little is SHARE times what PyTorch's own
float32 is off at that very function.  Where the two gradients agree, rounding
decides nothing.
"""
from contextlib import ExitStack
import copy
import inspect
from unittest import mock

import torch
import torch.nn.functional as F

SHARE = 2
SETTLED = 2e-4  # of the gradient's largest element


class NoSettledPicture(Exception):
    pass


class Shifted(torch.autograd.Function):
    """y = f(x), dy/dx = f'(x + shift), with the shift that is asked for when
    the way back is walked"""

    @staticmethod
    def forward(context, x, f, shift):
        context.save_for_backward(x)
        context.f, context.shift = f, shift
        return f(x)

    @staticmethod
    def backward(context, gradient):
        x, = context.saved_tensors
        with torch.enable_grad():
            moved = (x + context.shift(x)).detach().requires_grad_()
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
        self.inputs = []      # of those functions
        self.tolerances = []  # of each
        self.side = 0         # -1, 1: derivatives are taken below, above

    def shift(self, number, x, pooling):
        shift = torch.full_like(x, self.side * self.tolerances[number])
        if pooling:  # the two largest must move apart; zeros are a ReLU's
            generator = torch.Generator().manual_seed(number)
            shift *= torch.randint(2, x.shape, generator=generator) * 2 - 1
            shift *= x != 0
        return shift

    def stand_in(self, original, pooling):
        def call(x, *args, **options):
            def f(t):
                return original(t, *args, **options)
            args, options = out_of_place(original, args, options)
            number = len(self.inputs)
            self.inputs.append(x.detach())
            return Shifted.apply(x, f,
                                 lambda t: self.shift(number, t, pooling))
        return call

    def patch(self):
        stack = ExitStack()
        for name in ('relu', 'relu6', 'hardtanh', 'hardswish', 'hardsigmoid',
                     'leaky_relu', 'max_pool2d'):
            original = getattr(F, name)
            stack.enter_context(mock.patch.object(
                F, name, self.stand_in(original, name == 'max_pool2d')))
        return stack


def widened(model, picture):
    """a copy that goes on in double precision behind the activation"""
    model.middle = None
    wide = copy.deepcopy(model)
    behind = []

    def note(module, inputs):
        if wide.middle is not None:
            behind.append(module)
    handles = [module.register_forward_pre_hook(note)
               for module in wide.modules()]
    with torch.no_grad():
        wide(picture)
    for handle in handles:
        handle.remove()
    for module in behind:
        module.double()
    wide.wide = True
    wide.middle = None
    return wide


def spread(model, double, picture, seed):
    """how far rounding alone can move the gradient, of its largest element"""
    model.middle = None
    single, exact = Probe(), Probe()
    with single.patch(), torch.no_grad():
        model(picture)
    with exact.patch():
        embedding, middle = double(picture)
    assert len(single.inputs) == len(exact.inputs)
    exact.tolerances = [SHARE * (a.double() - b).abs().max().item()
                        for a, b in zip(single.inputs, exact.inputs)]
    sides = []
    for exact.side in (1, -1, 0):
        sides.append(torch.autograd.grad((embedding * seed.double()).sum(),
                                         middle, retain_graph=True)[0])
    largest = sides[2].abs().max().item()
    return max((side - sides[2]).abs().max().item() / largest
               for side in sides[:2])


def settled_picture(model, shape, limit=200):
    """the first random picture and seed whose gradient is settled, and how
    many were passed over"""
    double = widened(model, torch.randn(shape))
    for passed_over in range(limit):
        picture = torch.randn(shape)
        with torch.no_grad():
            seed = torch.randn_like(model(picture)[0])
        if spread(model, double, picture, seed) <= SETTLED:
            return picture, seed, passed_over
    raise NoSettledPicture(
        f'none of {limit} pictures has a settled gradient')
