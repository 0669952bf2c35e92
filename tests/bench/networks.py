"""networks.py: the networks that are measured, with random weights and
statistics of BatchNorm that are not trivial"""
import torch
import torchvision

NETWORKS = ('mobilenet_v2', 'resnet18', 'resnet50', 'efficientnet_b0')


def build(name):
    torch.manual_seed(7)
    network = getattr(torchvision.models, name)().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.6, 1.6)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.uniform_(-0.2, 0.2)
        elif isinstance(module, torch.nn.Linear) and not module.weight.any():
            module.weight.data.normal_(std=0.02)  # ViT's head: all zeros
    return network


def export(name, picture, path):
    torch.onnx.export(build(name), picture, path, opset_version=13,
                      input_names=['picture'], output_names=['embedding'])
