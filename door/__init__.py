"""The only process that listens publicly: lets in verified people and shows them their inbox."""
