import type { Answer, Asked } from './answer.ts';
import { requestMessage } from './grpc-translation.ts';
import { targetOf } from './matching.ts';
import type { GrpcRoute } from './routes/schema.ts';

/**
 * Asks a backend by gRPC what the gateway was asked by HTTP; the answer is its message as JSON. A call is made twice
 * where the method of HTTP says that it may be.
 *
 * @throws Problem with the code that the backend sent
 */
export async function grpcForward({ route, params, generation, request, signal }: Asked): Promise<Answer> {
  const { backend, request: templates = {} } = route.grpc as GrpcRoute;
  const called = generation.table.grpc(route);
  const query = new URLSearchParams(targetOf(request).split('?', 2)[1] ?? '');
  const body = request.body instanceof Uint8Array ? request.body : undefined;
  const answer = await generation.grpcClient(backend).call({
    method: called.method,
    request: requestMessage(called, templates, { params, query, body }),
    repeatable: ['GET', 'HEAD', 'PUT', 'DELETE'].includes(request.method),
    headers: { 'x-request-id': request.id },
    signal,
  });
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status: 200, headers, body: JSON.stringify(answer) };
}
