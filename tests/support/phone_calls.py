"""Calls in their simplest form, event by event, for stories that care about who calls and not about the PBX."""
import itertools
import time

_serial = itertools.count(1)


class Incoming:
    """One caller on one line; the events that the story asks for, as a PBX sends them."""

    def __init__(self, log, phone, line="0001363", extension="151", rang=None):
        self.log, self.phone, self.line, self.extension = log, phone, line, extension
        self.rang = list(rang or [extension])
        self.serial = next(_serial)
        self.uid = f"{int(time.time())}.{self.serial * 10}"

    def start(self):
        self.log.add("start", {"UniqueId": self.uid, "Phone": self.phone, "CallType": 0, "Trunk": self.line})
        return self

    def dial(self):
        self.log.add("dial", {"UniqueId": self.uid, "Phone": self.phone, "CallType": 0, "Trunk": self.line,
                              "Extensions": self.rang})
        return self

    def talk(self):
        """Bridges name no line: only the number ties the second channel to the call."""
        bridge = f"00000000-0000-4000-8000-{self.serial:012d}"
        self.log.add("bridge", {"UniqueId": self.uid, "BridgeUniqueid": bridge, "CallerIDNum": self.phone,
                                "Channel": f"SIP/{self.line}-{self.serial:08x}", "ConnectedLineNum": self.extension,
                                "Exten": self.line})
        self.log.add("bridge", {"UniqueId": f"{self.uid}1", "BridgeUniqueid": bridge, "CallerIDNum": self.extension,
                                "Channel": f"SIP/{self.extension}-{self.serial:08x}", "ConnectedLineNum": self.phone,
                                "Exten": ""})
        return self

    def hangup(self, answered=True):
        self.log.add("hangup", {"UniqueId": self.uid, "Phone": self.phone, "CallType": 0, "Trunk": self.line,
                                "Extensions": [self.extension], "CallStatus": "2" if answered else "0"})
        return self

    def answered(self):
        return self.start().dial().talk().hangup()

    def missed(self):
        return self.start().dial().hangup(answered=False)


def outgoing(log, phone, extension="152", line="0001363", answered=True):
    uid = f"{int(time.time())}.{next(_serial) * 10}"
    body = {"UniqueId": uid, "Phone": phone, "CallType": 1, "Trunk": line, "Extensions": [extension]}
    log.add("dial", body)
    log.add("hangup", {**body, "CallStatus": "2" if answered else "0"})
