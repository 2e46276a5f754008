import { describe, expect, it } from 'vitest';
import { answerHeaders, requestHeaders } from '../../../services/api-gateway/src/headers.ts';

describe('the headers that pass the gateway', () => {
  it('to a backend are the known ones and the request id', () => {
    const received = {
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': '"k-1"',
      'x-request-timeout-ms': '60000',
      'x-request-attempt': '2',
      connection: 'keep-alive, x-secret',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      upgrade: 'websocket',
      host: 'shop.example.com',
      cookie: 'session=1',
      traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
      'x-request-id': 'forged',
      'x-forwarded-for': '1.2.3.4',
    };
    expect(requestHeaders(received, 'id-1')).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': '"k-1"',
      'x-request-id': 'id-1',
    });
  });

  it('name to a backend who asks by the word of the gateway alone', () => {
    const forged = { 'x-user-id': 'admin', 'x-user-scopes': 'all', authorization: 'Bearer x' };
    expect(requestHeaders(forged, 'id-1')).toEqual({ 'x-request-id': 'id-1' });
    expect(requestHeaders(forged, 'id-1', { subject: 'user-1', scopes: ['a:read', 'b:read'] })).toEqual({
      'x-request-id': 'id-1',
      'x-user-id': 'user-1',
      'x-user-scopes': 'a:read b:read',
    });
  });

  it('to the caller are those that say what the answer is', () => {
    const received = {
      'content-type': 'application/problem+json',
      allow: ['GET', 'POST'],
      location: '/products/6',
      deprecation: '@1793491200',
      sunset: 'Mon, 01 Nov 2027 00:00:00 GMT',
      link: '</v2/products>; rel="successor-version"',
      'www-authenticate': 'Bearer',
      'idempotency-replayed': 'true',
      'x-already-retried': 'true',
      connection: 'close',
      'keep-alive': 'timeout=120',
      'transfer-encoding': 'chunked',
      'content-length': '12',
      server: 'something 1.2.3',
      'set-cookie': ['a=1'],
    };
    expect(answerHeaders(received)).toEqual({
      'content-type': 'application/problem+json',
      allow: 'GET, POST',
      'idempotency-replayed': 'true',
      location: '/products/6',
      deprecation: '@1793491200',
      sunset: 'Mon, 01 Nov 2027 00:00:00 GMT',
      link: '</v2/products>; rel="successor-version"',
      'www-authenticate': 'Bearer',
    });
  });
});
