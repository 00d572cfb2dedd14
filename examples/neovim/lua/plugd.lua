-- A picker of agent plugins: one daemon for the whole editor, started when it is first needed.
--
-- Messages travel through vim.lsp.rpc, so there is no code about pipes or framing here. Nothing in
-- this file waits: every answer comes to a callback on the main loop.

local M = {}

-- What `setup` may change.
local options = { cmd = { 'plugd', 'app-server' }, home = nil }

-- The daemon after its handshake, and before it who waits for that. Neither is there when there is
-- no daemon.
local connection = nil
local waiting = nil
-- How many answers are owed.
local open = 0
local next_token = 0
-- What to call with the value of each `$/progress`, by its token.
local progress = {}

function M.setup(changes)
  options = vim.tbl_extend('force', options, changes or {})
end

local function tell(text, level)
  vim.notify(text, level or vim.log.levels.INFO, { title = 'plugd' })
end

-- The message, and what a person can do where the daemon knows it.
local function explain(err)
  local hint = type(err.data) == 'table' and err.data.hint
  tell(err.message .. (hint and ('\n' .. hint) or ''), vim.log.levels.ERROR)
end

local function on_notification(method, params)
  if method == '$/progress' and progress[params.token] then
    progress[params.token](params.value)
  elseif method == 'configWarning' then
    tell(params.summary, vim.log.levels.WARN)
  elseif method == 'plugd/changed' then
    vim.schedule(function()
      vim.api.nvim_exec_autocmds('User', { pattern = 'PlugdChanged', modeline = false })
    end)
  end
end

-- Starts a daemon; answers nil or fails when there is no such program, as the Neovim has it.
local function spawn()
  local opened
  local function on_exit()
    -- Another one may have taken its place meanwhile.
    local handshaking = waiting and waiting.daemon == opened
    if not handshaking and connection ~= opened then return end
    if handshaking or open > 0 then
      tell('the daemon has ended; the next request starts it again', vim.log.levels.ERROR)
    end
    if handshaking then waiting = nil else connection = nil end
    open = 0
  end
  local dispatchers = {
    notification = function(method, params)
      vim.schedule(function() on_notification(method, params) end)
    end,
    server_request = function() end,
    on_error = function() end,
    on_exit = vim.schedule_wrap(on_exit),
  }
  local extra = options.home and { env = { CODEX_HOME = options.home } } or nil
  -- The arguments were a parameter of their own once.
  if vim.fn.has('nvim-0.10') == 1 then
    opened = vim.lsp.rpc.start(options.cmd, dispatchers, extra)
  else
    local args = vim.list_slice(options.cmd, 2)
    opened = vim.lsp.rpc.start(options.cmd[1], args, dispatchers, extra)
  end
  return opened
end

-- Calls `ready` with the connection, after the handshake when there was none.
local function connect(ready)
  if connection then return ready(connection) end
  if waiting then return table.insert(waiting, ready) end
  local started, opened = pcall(spawn)
  if not started or not opened then
    return tell('cannot start ' .. options.cmd[1], vim.log.levels.ERROR)
  end
  waiting = { ready, daemon = opened }
  opened.request('initialize', {
    clientInfo = { name = 'neovim', version = tostring(vim.version().minor) },
    capabilities = { plugd = { notifications = true } },
  }, vim.schedule_wrap(function(err)
    local callers = waiting or {}
    waiting = nil
    if err then
      opened.terminate()
      return explain(err)
    end
    connection = opened
    opened.notify('initialized', vim.empty_dict())
    for _, caller in ipairs(callers) do caller(opened) end
  end))
end

-- Sends a request; `done` gets its result, and errors are shown.
function M.request(method, params, done)
  connect(function(opened)
    open = open + 1
    opened.request(method, params, vim.schedule_wrap(function(err, result)
      open = math.max(0, open - 1)
      if err then return explain(err) end
      done(result)
    end))
  end)
end

local function reference(marketplace, plugin)
  if marketplace.path and marketplace.path ~= vim.NIL then
    return { marketplacePath = marketplace.path, pluginName = plugin.name }
  end
  return { remoteMarketplaceName = marketplace.name, pluginName = plugin.remotePluginId }
end

-- Calls `done` with a flat list of `{ plugin, reference }`.
function M.list(done)
  M.request('plugin/list', { cwds = { vim.fn.getcwd() } }, function(listing)
    local rows = {}
    for _, marketplace in ipairs(listing.marketplaces) do
      for _, plugin in ipairs(marketplace.plugins) do
        table.insert(rows, { plugin = plugin, reference = reference(marketplace, plugin) })
      end
    end
    for _, problem in ipairs(listing.marketplaceLoadErrors) do
      tell(problem.message, vim.log.levels.WARN)
    end
    done(rows)
  end)
end

local function section(lines, title, items, text)
  if #items == 0 then return end
  vim.list_extend(lines, { '', '## ' .. title, '' })
  for _, item in ipairs(items) do
    table.insert(lines, '- ' .. (text(item):gsub('%s+', ' ')))
  end
end

-- What `plugin/read` answers as lines of Markdown.
function M.describe(detail)
  local function known(value) return type(value) == 'string' and value or '' end
  local lines = { '# ' .. detail.summary.id, '' }
  vim.list_extend(lines, vim.split(known(detail.description), '\n'))
  section(lines, 'Skills', detail.skills, function(skill)
    return skill.name .. ': ' .. known(skill.description)
  end)
  section(lines, 'Hooks', detail.hooks, function(hook) return hook.eventName .. ' ' .. hook.key end)
  section(lines, 'MCP servers', detail.mcpServers, function(name) return name end)
  section(lines, 'Problems', detail.summary.problems, function(one) return one.message end)
  return lines
end

function M.read(row)
  M.request('plugin/read', row.reference, function(result)
    local buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, M.describe(result.plugin))
    vim.bo[buffer].filetype = 'markdown'
    vim.bo[buffer].bufhidden = 'wipe'
    vim.bo[buffer].modifiable = false
    vim.cmd('sbuffer ' .. buffer)
  end)
end

function M.install(row)
  next_token = next_token + 1
  local token = 'neovim-' .. next_token
  local shown = nil
  progress[token] = function(value)
    if value.kind == 'report' and value.stage ~= shown then
      shown = value.stage
      tell(row.plugin.id .. ': ' .. shown)
    elseif value.kind == 'end' then
      progress[token] = nil
    end
  end
  local params = vim.tbl_extend('force', row.reference, { workDoneToken = token })
  M.request('plugin/install', params, function()
    tell(row.plugin.id .. ': installed')
  end)
end

function M.uninstall(row)
  M.request('plugin/uninstall', { pluginId = row.plugin.id }, function()
    tell(row.plugin.id .. ': uninstalled')
  end)
end

local function choose_action(row)
  local actions = { { 'Read', M.read } }
  if row.plugin.installed then
    table.insert(actions, { 'Uninstall', M.uninstall })
  end
  if not row.plugin.installed or row.plugin.updateAvailable then
    table.insert(actions, { row.plugin.installed and 'Update' or 'Install', M.install })
  end
  vim.ui.select(actions, {
    prompt = row.plugin.id,
    format_item = function(action) return action[1] end,
  }, function(action)
    if action then action[2](row) end
  end)
end

-- The picker: a plugin first, then what to do with it.
function M.pick()
  M.list(function(rows)
    vim.ui.select(rows, {
      prompt = 'Plugins',
      format_item = function(row)
        local mark = row.plugin.installed and '● ' or '○ '
        return mark .. row.plugin.id
      end,
    }, function(row)
      if row then choose_action(row) end
    end)
  end)
end

return M
