"""How a plan is applied to a model: merged into buffers of ours, or computed beside the untouched layers.

A host's parameter is read and never written. Our weights live outside its module tree, a layer is patched
by an instance `forward`, and taking everything off is deleting instance attributes.
"""
