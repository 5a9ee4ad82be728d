import asyncio, json, time, sys
from pathlib import Path
async def async_setup(hass,config):
    path=Path(hass.config.path("loop_watch.jsonl"))
    run=asyncio.Handle._run
    start=time.monotonic(); st={'n':0}
    def timed(h):
        if time.monotonic()-start<60 or st['n']>40: return run(h)
        calls=[]
        def prof(frame,ev,arg):
            if ev=='call':
                c=frame.f_code; calls.append((c.co_filename.split('site-packages/')[-1].replace(str(hass.config.path()),''),c.co_qualname,len(c.co_code)))
            elif ev=='c_call':
                calls.append(('C',getattr(arg,'__qualname__',str(arg)),0))
        sys.setprofile(prof)
        try: run(h)
        finally: sys.setprofile(None)
        st['n']+=1
        with path.open('a') as f: f.write(json.dumps(calls)+'\n')
    asyncio.Handle._run=timed
    return True
