"""An MQTT client (3.1.1 and 5) of its own for the crash tests: it knows which messages the broker has acknowledged, goes on
after a lost connection, and can be told how far it may go. Shares no code with the product or the library it uses."""

import select
import socket
import struct
import threading
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
SESSION_EXPIRY = 0x11  # property: 4 bytes, in seconds
PATIENCE_S = 10


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def packet(kind, flags, body):
    length, left = b"", len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([kind << 4 | flags]) + length + body


def connect_packet(client_id, version, clean, session_expiry_s=0):
    properties = b""
    if version == 5:
        properties = struct.pack(">BBI", 5, SESSION_EXPIRY, session_expiry_s)
    body = text("MQTT") + bytes([version, 0x02 if clean else 0]) + struct.pack(">H", 60) + properties + text(client_id)
    return packet(CONNECT, 0, body)


class Packets:
    """Cuts received bytes into packets."""

    def __init__(self):
        self.bytes = b""

    def feed(self, data):
        self.bytes += data

    def __iter__(self):
        while True:
            length, shift, at = 0, 0, 1
            while True:
                if at >= len(self.bytes):
                    return
                digit = self.bytes[at]
                length |= (digit & 0x7F) << shift
                at, shift = at + 1, shift + 7
                if not digit & 0x80:
                    break
            if len(self.bytes) < at + length:
                return
            first, body, self.bytes = self.bytes[0], self.bytes[at:at + length], self.bytes[at + length:]
            yield first >> 4, first & 0x0F, body


class Link:
    """A connection with its session. Raises OSError when it is lost or the broker refuses."""

    def __init__(self, port, client_id, version=5, clean=True, session_expiry_s=0):
        self.version = version
        self.packets = Packets()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.sendall(connect_packet(client_id, version, clean, session_expiry_s))
            body = self.wait_for(CONNACK)
            if body[1] != 0:
                raise OSError(f"refused with reason {body[1]}")
        except OSError:
            self.socket.close()
            raise

    def receive(self, timeout_s):
        """Packets that are there within the time."""
        if select.select([self.socket], [], [], timeout_s)[0]:
            data = self.socket.recv(65536)
            if not data:
                raise OSError("the broker closed the connection")
            self.packets.feed(data)
        return list(self.packets)

    def wait_for(self, kind):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for got, _, body in self.receive(0.1):
                if got == kind:
                    return body
        raise OSError(f"no packet of kind {kind}")

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        try:
            self.socket.sendall(packet(DISCONNECT, 0, b""))
        except OSError:
            pass
        self.socket.close()


def create_session(port, client_id, filters, qos=1, version=5):
    """Makes the broker keep a session with these subscriptions, as a first run of the gateway would."""
    link = Link(port, client_id, version, clean=False, session_expiry_s=86400)
    for number, one in enumerate(filters, 1):
        properties = b"\0" if version == 5 else b""
        link.send(packet(SUBSCRIBE, 2, struct.pack(">H", number) + properties + text(one) + bytes([qos])))
        if link.wait_for(SUBACK)[-1] >= 0x80:
            raise OSError(f"the subscription to {one} was refused")
    link.close()


class Publisher:
    """Publishes messages in their order on a thread of its own, as far as it is allowed to, keeps up to `window` of them
    unacknowledged, and sends those again after a lost connection.

    `distrust`: after a lost connection it goes back by so many acknowledged messages as well, for a broker that forgets
    what it acknowledged just before it died. `rate`: so many a second at most, counted from the first that is allowed.
    `log`: a file that gets a line for each connection, each loss, and the last acknowledgement of each.
    """

    def __init__(self, port, messages, qos=1, version=5, window=100, distrust=0, rate=None, log=None):
        self.port, self.messages, self.qos, self.version = port, messages, qos, version
        self.window, self.distrust, self.rate = window, distrust, rate
        self.log = open(log, "w", buffering=1) if log else None
        self.began = None  # when the first message was allowed
        self.limit = 0  # messages before this one may be sent
        self.acknowledged = 0  # all before this one are the broker's
        self.sent = 0  # PUBLISH packets written, with those sent again
        self.reconnects = -1
        self.error = None
        self.stopping = False
        self.condition = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def allow(self, limit):
        with self.condition:
            self.limit = min(limit, len(self.messages))
            self.condition.notify_all()

    def wait_acknowledged(self, count, timeout_s):
        """Whether the broker has so many messages in time."""
        with self.condition:
            self.condition.wait_for(lambda: self.acknowledged >= count or self.error, timeout_s)
            return self.acknowledged >= count

    def stop(self):
        with self.condition:
            self.stopping = True
            self.condition.notify_all()
        self.thread.join(PATIENCE_S)

    def run(self):
        try:
            while not self.stopping:
                try:
                    link = Link(self.port, f"publisher-{id(self)}", self.version)
                    try:
                        self.publish(link)
                    finally:
                        link.close()
                except OSError as error:
                    self.note(f"connection lost: {error}")
                    with self.condition:  # the broker is away: a moment, then again
                        self.condition.wait_for(lambda: self.stopping, 0.02)
        except Exception as error:  # shown by whoever waits
            with self.condition:
                self.error = error
                self.condition.notify_all()
        finally:
            if self.log:
                self.log.close()

    def note(self, what):
        if self.log:
            self.log.write(f"{time.time():.3f} {what}; {self.acknowledged} of {len(self.messages)} acknowledged, "
                           f"{self.sent} sent\n")

    def allowed(self):
        """Messages before this one may be sent now."""
        if self.rate is None or self.limit == 0:
            return self.limit
        if self.began is None:
            self.began = time.monotonic()
        return min(self.limit, int((time.monotonic() - self.began) * self.rate) + 1)

    def publish(self, link):
        self.reconnects += 1
        self.note("connected")
        # What happened to messages in flight is not known: all of them go again, under new packet numbers.
        flight = {}  # packet number -> message
        done = set()
        begin = self.acknowledged
        if self.reconnects > 0:
            begin = max(0, begin - self.distrust)
        position, packet_number = begin, 0
        pause = 0.05 if self.rate is None else 0.002
        while not self.stopping:
            data = []
            limit = self.allowed()
            while position < limit and len(flight) < self.window and len(data) < 50:
                packet_number = packet_number % 65535 + 1
                data.append(self.encode(packet_number, position))
                if self.qos > 0:
                    flight[packet_number] = position
                else:
                    done.add(position)
                position += 1
            if data:
                link.send(b"".join(data))
                self.sent += len(data)
                if self.qos == 0:  # the answer to a ping says that the broker has read everything before it
                    link.send(packet(PINGREQ, 0, b""))
                    link.wait_for(PINGRESP)
            if not data and not flight:
                with self.condition:
                    self.condition.wait_for(lambda: self.stopping or self.allowed() > position, pause)
            for kind, _, body in link.receive(0.0 if data or not flight else pause):
                number = struct.unpack(">H", body[:2])[0] if len(body) >= 2 else 0
                if kind == PUBREC:
                    link.send(packet(PUBREL, 2, struct.pack(">H", number)))
                elif kind in (PUBACK, PUBCOMP) and number in flight:
                    done.add(flight.pop(number))
            with self.condition:
                while begin in done:
                    done.remove(begin)
                    begin += 1
                if begin > self.acknowledged:
                    self.acknowledged = begin
                    if begin == len(self.messages):
                        self.note("all acknowledged")
                    self.condition.notify_all()

    def encode(self, packet_number, position):
        topic, payload = self.messages[position]
        body = text(topic) + (struct.pack(">H", packet_number) if self.qos else b"")
        body += b"\0" if self.version == 5 else b""
        return packet(PUBLISH, self.qos << 1, body + payload)
