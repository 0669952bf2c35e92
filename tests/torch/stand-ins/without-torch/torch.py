"""In the path of who must get along without PyTorch."""
raise ImportError('PyTorch is not to be needed here')
