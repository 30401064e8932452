// The table of faults: each can be answered with a close frame (RFC 6455 §7.1.7).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteWriter } from '../../../src/protocol/http/byte-writer.ts';
import { makeWebSocketFault, WEBSOCKET_FAULT_CODES } from '../../../src/protocol/websocket/fault.ts';
import { WebSocketSender } from '../../../src/protocol/websocket/sender.ts';
import { CLOSE, closePayload, frame } from './client-frames.ts';

describe('each fault has the close code of its kind (RFC 6455 §7.1.7, §7.4.1)', () => {
  for (const code of WEBSOCKET_FAULT_CODES) {
    test(code, () => {
      const fault = makeWebSocketFault(code);
      assert.ok([1002, 1007, 1008, 1009].includes(fault.closeCode));
      const out = new ByteWriter();
      new WebSocketSender(out, null).sendClose(fault.closeCode, fault.reason);
      assert.deepEqual(out.take(), frame(CLOSE, closePayload(fault.closeCode, fault.reason), { key: null }));
    });
  }
});
