"""Networks from torchvision, from timm and from a user's own file."""
import torch

from objects import load_object


def load_state(network, path, spare=()):
    """Weights of a state_dict, plain or below the usual keys.

    All must fit; only those of the submodules `spare` may be too many.
    """
    state = torch.load(path, map_location="cpu")
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise SystemExit(f"{path} is no state_dict but a "
                         f"{type(state).__name__}")
    state = {k[7:] if k.startswith("module.") else k: v
             for k, v in state.items()}
    own = network.state_dict()
    state = {k: v for k, v in state.items()
             if k in own or not k.startswith(tuple(f"{s}." for s in spare))}
    network.load_state_dict(state)


def load_module(where, state):
    made = load_object(where)
    network = made if isinstance(made, torch.nn.Module) else made()
    if not isinstance(network, torch.nn.Module):
        raise SystemExit(f"“{where}” gives a {type(network).__name__}, not a "
                         "torch.nn.Module")
    if state:
        load_state(network, state)
    return network.eval()


def last_linear(network, size):
    """The name of the Linear whose output the network returns, or None."""
    made, hooks = {}, []
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_hook(
                lambda _, inputs, out, name=name: made.update({name: out})))
    network.eval()
    with torch.no_grad():
        result = network(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return next((n for n, out in made.items() if out is result), None)


def remove_classifier(network, size):
    name = last_linear(network, size)
    if name is None:
        raise SystemExit("the network does not end in a Linear: name the "
                         "submodule that gives the embedding (--embedding)")
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, torch.nn.Identity())
    print(f"embedding: what goes into {name}")


def load_torchvision(name, weights, state, embedding):
    """(network, transform): weights of torchvision, or `state`."""
    from torchvision import models
    builder = getattr(models, name, None)
    every = next((value for key, value in vars(models).items()
                  if key.lower() == f"{name}_weights"), None)
    if builder is None or every is None:
        raise SystemExit(f"torchvision has no network “{name}”")
    if not hasattr(every, weights):
        raise SystemExit(f"{name}: weights are "
                         + ", ".join(w.name for w in every))
    chosen = getattr(every, weights)
    transform = chosen.transforms()
    if state:
        network = builder(weights=None)
        load_state(network, state)
    else:
        network = builder(weights=chosen)
    network.eval()
    if embedding is None:
        remove_classifier(network, transform.crop_size[0])
    return network, transform


def load_timm(name, state, embedding):
    """(network, data configuration, transform) of timm 0.6 or later."""
    try:
        import timm
        from timm.data import create_transform, resolve_data_config
    except ImportError as error:
        raise SystemExit(f"{error} (pip install timm)")
    classes = {} if embedding else {"num_classes": 0}
    # exportable: no operators that only PyTorch has
    network = timm.create_model(name, pretrained=not state, exportable=True,
                                **classes)
    if state:
        # "head", or several names, or none
        named = network.default_cfg.get("classifier") or ()
        load_state(network, state,
                   spare=(named,) if isinstance(named, str) else tuple(named))
    config = resolve_data_config({}, model=network)
    transform = create_transform(**config, is_training=False)
    return network.eval(), config, transform
