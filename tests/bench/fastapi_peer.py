"""The peer of the benchmark: the same promise (200 after the commit) by FastAPI and asyncpg.

Written as such services are: the framework reads and checks the body, a pool of connections inserts."""
import json
import os
from datetime import datetime, timezone

import asyncpg
import uvicorn
from fastapi import Body, FastAPI, HTTPException

app = FastAPI()
SQL = """INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp,
                                  trace_id, raw_data)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)"""


@app.on_event("startup")
async def start():
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16)
    rows = await app.state.pool.fetch("SELECT number, name2, shard FROM enterprises")
    app.state.tenants = {row["name2"]: row for row in rows}


@app.post("/hangup")
async def hangup(body: dict = Body(...)):
    tenant = app.state.tenants.get(body.get("Token"))
    if tenant is None:
        raise HTTPException(401, "Token: unknown")
    await app.state.pool.execute(SQL, tenant["shard"], tenant["number"], body["UniqueId"], "hangup",
                                 datetime.now(timezone.utc), "0af7651916cd43dd8448eb211c80319c",
                                 json.dumps(body))
    return {"status": "ok", "message": "Event queued for processing"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), loop="uvloop", http="httptools",
                log_level="error", access_log=False)
