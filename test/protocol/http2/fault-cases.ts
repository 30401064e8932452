// What a peer does wrong, as tests: that it is an error of the connection, or of a stream.
import assert from 'node:assert/strict';
import { eachWay, Peer, request, TYPE } from './peer.ts';

/** Registers a test that some bytes, after the preface, are a connection error of the code. */
export function refuses(name: string, code: number, ...bytes: readonly Buffer[]): void {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(...bytes);
    assert.equal(peer.faultCode, code, name);
    const goaway = peer.frames().filter((f) => f.type === TYPE.GOAWAY);
    assert.equal(goaway.length, 1);
    assert.equal(goaway[0]?.payload.readUInt32BE(4), code);
    // Nothing is received after it, and it is told once.
    peer.send(request(101));
    assert.equal(peer.events.filter((event) => event === 'fault').length, 1);
    assert.equal(peer.events.at(-1), 'fault');
  });
}

/** Registers a test that some bytes are a stream error of the code on stream `id`, and the connection goes on. */
export function resets(name: string, code: number, id: number, ...bytes: readonly Buffer[]): void {
  eachWay(name, (feed) => {
    const peer = Peer.ready({}, feed);
    peer.send(...bytes);
    assert.equal(peer.faultCode, null);
    assert.equal(peer.resetCode(id), code);
    peer.send(request(99));
    assert.equal(peer.events.at(-1), 'head 99');
  });
}
