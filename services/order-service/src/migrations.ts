import type { Migration } from '@microservice-platform/common';

/** Applied in order at start. Never edited: a change is a new entry. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'orders and outbox',
    sql: `
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        product_id integer NOT NULL,
        quantity integer NOT NULL,
        user_id text NOT NULL,
        status text NOT NULL,
        total numeric(16, 2) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      -- Messages that are not yet with the broker; a row goes when the broker has confirmed it.
      CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY,
        type text NOT NULL,
        schema_version integer NOT NULL,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        body text NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX outbox_due ON outbox (due_at, position);
    `,
  },
  {
    version: 2,
    name: 'orders as events',
    sql: `
      -- What happened to each order. The key lets only one of two writers add the next event.
      CREATE TABLE order_events (
        order_id uuid NOT NULL,
        version integer NOT NULL,
        position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        type text NOT NULL,
        data jsonb NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (order_id, version)
      );
      -- The orders that have not ended: when each is due for its next step.
      CREATE TABLE sagas (
        order_id uuid PRIMARY KEY,
        due_at timestamptz NOT NULL DEFAULT now(),
        deadline_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        last_error text,
        traceparent text
      );
      CREATE INDEX sagas_due ON sagas (due_at);
      -- The answers to requests that may come again.
      CREATE TABLE idempotency_keys (
        client text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        answer jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (client, key)
      );
      CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

      -- From here on the table orders is a view of the events, for reading; what was not in it yet is in details.
      ALTER TABLE orders ADD COLUMN details jsonb NOT NULL DEFAULT '{}';

      -- Orders that were placed before, and those that replicas of the release before still place: each begins its
      -- history. To be dropped once no such replica runs.
      CREATE FUNCTION begin_history() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NOT EXISTS (SELECT FROM order_events WHERE order_id = NEW.id) THEN
            INSERT INTO order_events (order_id, version, type, data, at) VALUES (NEW.id, 1, 'OrderPlaced',
              jsonb_build_object('product_id', NEW.product_id, 'quantity', NEW.quantity, 'user_id', NEW.user_id,
                                 'total', NEW.total, 'degraded', '["user"]'::jsonb), NEW.created_at);
            INSERT INTO sagas (order_id, deadline_at) VALUES (NEW.id, now() + interval '60 seconds');
          END IF;
          RETURN NEW;
        END $$;
      CREATE TRIGGER orders_begin_history AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION begin_history();
      UPDATE orders SET details = '{}';
    `,
  },
];
