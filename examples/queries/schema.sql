-- A hotspot billing database in miniature: what the examples beside this file ask. Runs on SQLite, PostgreSQL and MySQL.

CREATE TABLE packages (
    id INTEGER PRIMARY KEY,
    name VARCHAR(60) NOT NULL
);

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    username VARCHAR(60) NOT NULL UNIQUE,
    service VARCHAR(10) NOT NULL,            -- pppoe or hotspot
    package_id INTEGER NOT NULL REFERENCES packages (id),
    active INTEGER NOT NULL                  -- 1, or 0 while suspended
);

CREATE TABLE invoices (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    amount NUMERIC(12, 2) NOT NULL,
    due_on DATE NOT NULL,
    paid_at TIMESTAMP NULL
);

CREATE TABLE message_queue (
    id INTEGER PRIMARY KEY,
    phone VARCHAR(20) NOT NULL,
    status VARCHAR(10) NOT NULL,             -- pending, sent or failed
    created_at TIMESTAMP NOT NULL
);

INSERT INTO packages (id, name) VALUES (1, '10 Mbit'), (2, '20 Mbit');

INSERT INTO customers (id, username, service, package_id, active) VALUES
    (1, 'andi', 'pppoe', 1, 1),
    (2, 'budi', 'pppoe', 1, 0),
    (3, 'citra', 'pppoe', 2, 1),
    (4, 'dewi', 'hotspot', 1, 1);

INSERT INTO invoices (id, customer_id, amount, due_on, paid_at) VALUES
    (1, 1, 150000, '2024-01-10', '2024-01-09 10:00:00'),
    (2, 2, 150000, '2024-01-10', NULL),
    (3, 3, 250000, '2024-01-10', NULL),
    (4, 4, 150000, '2999-01-10', NULL);

INSERT INTO message_queue (id, phone, status, created_at) VALUES
    (1, '6281200000001', 'sent', '2024-01-01 08:00:00'),
    (2, '6281200000002', 'sent', '2024-01-01 08:00:00'),
    (3, '6281200000003', 'pending', '2024-01-01 09:00:00'),
    (4, '6281200000004', 'failed', '2024-01-01 09:00:00');
