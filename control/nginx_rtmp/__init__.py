"""All that knows nginx: the RTMP module's callbacks, /stat and /control, and the web nginx's questions about HLS."""
