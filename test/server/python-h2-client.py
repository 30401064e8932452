# A client made of python3-h2, which shares no code with howdah or Node.js: several requests on one connection, bodies under
# flow control, and what it saw as JSON. Arguments: port, and the file of an authority for TLS (none: in clear).
import json
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

BODY = bytes(range(256)) * 1000


def connect(port, authority):
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    if authority is None:
        return plain
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    secure = context.wrap_socket(plain, server_hostname="localhost")
    assert secure.selected_alpn_protocol() == "h2"
    return secure


def main():
    port = int(sys.argv[1])
    authority = sys.argv[2] if len(sys.argv) > 2 else None
    channel = connect(port, authority)
    scheme = "http" if authority is None else "https"
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    connection.initiate_connection()

    def head(method, path):
        fields = [(":method", method), (":path", path), (":scheme", scheme), (":authority", "localhost")]
        return fields + [("x-number", str(number)) for number in range(20)]

    answers = {}
    for path in ["/one", "/two", "/two"]:
        stream = connection.get_next_available_stream_id()
        answers[stream] = {"body": b""}
        connection.send_headers(stream, head("GET", path), end_stream=True)
    posting = connection.get_next_available_stream_id()
    answers[posting] = {"body": b""}
    connection.send_headers(posting, head("POST", "/echo"))
    unsent = BODY

    while any("ended" not in answer for answer in answers.values()):
        while unsent and connection.local_flow_control_window(posting) > 0:
            size = min(connection.local_flow_control_window(posting), connection.max_outbound_frame_size, len(unsent))
            connection.send_data(posting, unsent[:size], end_stream=size == len(unsent))
            unsent = unsent[size:]
        channel.sendall(connection.data_to_send())
        received = channel.recv(65536)
        if not received:
            raise SystemExit("the server has closed the connection")
        for event in connection.receive_data(received):
            if isinstance(event, h2.events.ResponseReceived):
                answers[event.stream_id]["status"] = dict(event.headers)[":status"]
            elif isinstance(event, h2.events.DataReceived):
                answers[event.stream_id]["body"] += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                answers[event.stream_id]["ended"] = True
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                raise SystemExit(f"ended by the server: {event}")

    echoed = answers.pop(posting)
    seen = [[answer["status"], answer["body"].decode()] for answer in answers.values()]
    print(json.dumps({"answers": seen, "echoed": echoed["body"] == BODY and echoed["status"] == "200"}))


main()
