"""Primitives of the operating system, taken before anything can patch them.

gevent and eventlet replace threads, locks and sockets by cooperative ones. The
sender has to be a thread of the system even then: it must run while a greenlet
computes, and must never wait for a hub. The boot module imports this one before
any code of the app runs, so these names stay what they are here.
"""

import _socket
import _thread
import time

allocate_lock = _thread.allocate_lock
get_ident = _thread.get_ident
get_native_id = _thread.get_native_id
start_new_thread = _thread.start_new_thread
Socket = _socket.socket
AF_UNIX = _socket.AF_UNIX
SOCK_STREAM = _socket.SOCK_STREAM
monotonic = time.monotonic
perf_counter = time.perf_counter
sleep = time.sleep
