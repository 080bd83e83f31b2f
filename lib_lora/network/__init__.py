"""One file opened for one architecture: a change for every weight it names, and what found no place.

networks = NetworkCache()
network = networks.open(path, "sd1")            # FileError, AdapterError
fit = check_fit(network, view.shapes, "sd1")    # NetworkMismatchError
"""

from lib_lora.network.cache import NetworkCache
from lib_lora.network.fit import Fit, check_fit, fit_to
from lib_lora.network.network import Network, Vectors
from lib_lora.network.reading import open_network

__all__ = ["Fit", "Network", "NetworkCache", "Vectors", "check_fit", "fit_to", "open_network"]
