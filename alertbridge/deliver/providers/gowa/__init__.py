"""GOWA (go-whatsapp-web-multidevice)."""
