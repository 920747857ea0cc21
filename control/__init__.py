"""The control plane of QPlus Live Server: who may push, who may watch, who does."""

__version__ = "0.1.0"
