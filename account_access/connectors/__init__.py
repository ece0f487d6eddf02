"""Identity systems behind one small contract (`base.py`); one folder or module a vendor."""
