-- The client of Neovim as it comes, against the binary in PLUGD_BINARY.
--
-- `STYLE=rpc` speaks through vim.lsp.rpc, which does nothing by itself; `STYLE=start` lets vim.lsp
-- do its own handshake as with any language server. Prints a line for each step.

local binary = os.getenv('PLUGD_BINARY')
local style = os.getenv('STYLE')
local seen = {}

local function say(line)
  io.stdout:write(line .. '\n')
  io.stdout:flush()
end

local function check(step, fine, why)
  if fine then
    say('step ' .. step .. ' ok')
  else
    say('step ' .. step .. ' failed: ' .. vim.inspect(why))
    os.exit(1)
  end
end

local function on_notification(method, params)
  table.insert(seen, { method = method, params = params })
end

-- Both answer `request(method, params, callback) -> id` and `notify(method, params)`.
local function by_rpc()
  local dispatchers = {
    notification = on_notification,
    server_request = function() end,
    on_exit = function() end,
    on_error = function(code, err)
      say('step error failed: ' .. vim.inspect({ code, err }))
    end,
  }
  local rpc
  if vim.fn.has('nvim-0.10') == 1 then
    rpc = vim.lsp.rpc.start({ binary, 'app-server' }, dispatchers)
  else
    rpc = vim.lsp.rpc.start(binary, { 'app-server' }, dispatchers)
  end
  local hello
  rpc.request('initialize', { clientInfo = { name = 'neovim-rpc' } }, function(err, result)
    hello = { err = err, result = result }
  end)
  vim.wait(20000, function() return hello end, 5)
  check('initialize', hello and hello.result and hello.result.serverInfo.name == 'plugd', hello)
  rpc.notify('initialized', vim.empty_dict())
  return {
    request = function(method, params, callback)
      local _, id = rpc.request(method, params, callback)
      return id
    end,
    notify = rpc.notify,
    -- The end of this process closes the pipe, which is all that the daemon needs.
    stop = function() end,
  }
end

local function by_start()
  -- Neovim before 0.8 has the same client below another name.
  local start = vim.lsp.start or vim.lsp.start_client
  say('uses ' .. (vim.lsp.start and 'vim.lsp.start' or 'vim.lsp.start_client'))
  local ready, id
  id = start({
    name = 'plugd',
    cmd = { binary, 'app-server' },
    root_dir = vim.fn.getcwd(),
    on_init = function() ready = true end,
    handlers = {
      ['$/progress'] = function(_, params) on_notification('$/progress', params) end,
    },
  })
  vim.wait(20000, function() return ready end, 5)
  check('initialize', ready, 'on_init was not called')
  local client = vim.lsp.get_client_by_id(id)
  return {
    request = function(method, params, callback)
      local _, request = client.request(method, params, callback, 0)
      return request
    end,
    notify = function(method, params) client.notify(method, params) end,
    cancel = function(request) client.cancel_request(request) end,
    stop = function()
      client.stop()
      vim.wait(20000, function() return client.is_stopped() end, 5)
    end,
  }
end

local peer = style == 'rpc' and by_rpc() or by_start()

-- Whether a kind of progress was told of a token.
local function told(token, kind)
  for _, one in ipairs(seen) do
    if one.method == '$/progress' and one.params.token == token
      and one.params.value.kind == kind then
      return true
    end
  end
end

-- Sends, waits, and answers the list of all callbacks that came for it.
local function call(method, params, after_sending)
  local answers = {}
  local id = peer.request(method, params, function(err, result)
    table.insert(answers, { err = err, result = result })
  end)
  if after_sending then after_sending(id) end
  local token = after_sending and params.workDoneToken
  vim.wait(20000, function() return #answers > 0 or (token and told(token, 'end')) end, 5)
  return answers
end

local function result(step, method, params)
  local answers = call(method, params)
  check(step, #answers == 1 and answers[1].result, answers)
  return answers[1].result
end

local listing = result('list', 'plugin/list', vim.empty_dict())
local plugin = { marketplacePath = listing.marketplaces[1].path, pluginName = 'hello' }
local reading = call('plugin/read', plugin)[1].result
check('read', reading and reading.plugin.description == 'Says hello', reading)

local function installed()
  local found = call('plugin/list', vim.empty_dict())[1].result.marketplaces[1].plugins[1]
  return found.installed and found.installedVersion
end

-- Something holds the installation up, so only a cancelled one ends soon. vim.lsp.rpc itself
-- swallows the error of a request that was cancelled, so what is waited for is the end of its
-- progress, and a later answer is the proof that the connection goes on.
local cancelled = vim.tbl_extend('force', plugin, { workDoneToken = 'cancelled' })
local asked_back
local given_up = call('plugin/install', cancelled, function(id)
  vim.wait(20000, function() return told('cancelled', 'begin') end, 1)
  if peer.cancel then peer.cancel(id) else peer.notify('$/cancelRequest', { id = id }) end
  asked_back = vim.loop.hrtime()
end)
local fine = #given_up == 0 or (#given_up == 1 and given_up[1].err and given_up[1].err.code == -32800)
local without = told('cancelled', 'end') and installed() == false
local in_time = (vim.loop.hrtime() - asked_back) / 1e9 < 3
check('cancel', in_time and fine and without, { in_time, given_up, seen })

local with_token = vim.tbl_extend('force', plugin, { workDoneToken = 'installing' })
local answers = call('plugin/install', with_token)
vim.wait(5000, function() return told('installing', 'end') end, 5)
local all = told('installing', 'begin') and told('installing', 'report')
check('progress', all and told('installing', 'end'), seen)
check('install', #answers == 1 and answers[1].result and installed() == '1.0.0', answers)

local removed = call('plugin/uninstall', { pluginId = 'hello@demo' })
check('uninstall', #removed == 1 and removed[1].result and installed() == false, removed)
peer.stop()
os.exit(0)
