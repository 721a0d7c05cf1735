"""A TCP proxy between a client and a broker that can cut its connections in the middle of a packet."""

import select
import socket
import threading

from support import free_port


class Proxy:
    """Forwards to `target`. `allowance()` is asked for each connection: how many bytes from the broker it lets through
    before it cuts, in the middle of whatever they are; None: no cut."""

    def __init__(self, target, allowance):
        self.target, self.allowance = target, allowance
        self.cuts = 0
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(5)
        self.listener.close()

    def accept(self):
        while not self.stopping.is_set():
            if select.select([self.listener], [], [], 0.05)[0]:
                client = self.listener.accept()[0]
                threading.Thread(target=self.forward, args=(client, self.allowance()), daemon=True).start()

    def forward(self, client, left):
        try:
            broker = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        with client, broker:
            for one in (client, broker):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while not self.stopping.is_set():
                    for ready in select.select([client, broker], [], [], 0.05)[0]:
                        data = ready.recv(65536)
                        if not data:
                            return
                        if ready is client:
                            broker.sendall(data)
                            continue
                        if left is not None:
                            data, left = data[:left], left - len(data)
                        client.sendall(data)
                        if left is not None and left <= 0:
                            self.cuts += 1
                            return
            except OSError:
                return
